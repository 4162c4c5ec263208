// The words of a text and their numbers, as in kerasseq/lite/_words.py.

const WORDS = /[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}\p{N}]+)*|[^\p{Z}\p{Cc}]/gu;
const CHARACTERS = /[^\p{Z}\p{Cc}]/gu;
const UNKNOWN = 1, FIRST = 2;  // 0 is padding

/** A text in form NFC, with straight apostrophes. */
export function normalize(text) {
  return text.normalize('NFC').replaceAll('’', "'");
}

/** The words of a text; punctuation is a word of its own. */
export function split(text, {rule = WORDS, lowercase = false} = {}) {
  const plain = normalize(text);
  return (lowercase ? plain.toLowerCase() : plain).match(rule) ?? [];
}

export class Words {
  /** `vocabulary` is what vocabulary.json holds. */
  constructor({words, unit}) {
    this.rule = unit === 'characters' ? CHARACTERS : WORDS;
    this.ids = new Map(words.map((word, place) => [word, place + FIRST]));
  }

  split(text) {
    return split(text, {rule: this.rule, lowercase: true});
  }

  encode(text) {
    return this.split(text).map((word) => this.ids.get(word) ?? UNKNOWN);
  }
}
