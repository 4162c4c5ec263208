// The vocabularies of a translator, as in kerasseq/lite: subwords, words, characters.
import {Subwords} from './subwords.js';

const SPECIAL = 4;  // padding, unknown, start and end
const GLUE = '##';  // before a word that no space parts from the one before
const WORDS = /[^\p{Z}\p{Cc}]+/gu;
const WITHOUT_PUNCTUATION =
  /[\p{L}\p{M}\p{N}](?:[^\p{Z}\p{Cc}]*[\p{L}\p{M}\p{N}])?|[^\p{Z}\p{Cc}]/gu;

/** What `vocabulary`, the content of a vocabulary.json, describes. */
export function vocabularyOf(vocabulary) {
  const kinds = {word: LosslessWords, character: SentenceCharacters};
  return new (kinds[vocabulary.unit] ?? SentenceSubwords)(vocabulary);
}

class SentenceSubwords extends Subwords {
  unit = 'subword';

  get end() {
    return this.vocabulary.end;
  }

  pieces(ids) {
    return ids.map((id) => this.vocabulary.pieces[id]);
  }
}

/** Tokens and their numbers, which are their places. */
class SentenceTokens {
  constructor(vocabulary) {
    Object.assign(this, vocabulary);
    this.ids = new Map(this.words.slice(SPECIAL).map((word, i) => [word, SPECIAL + i]));
  }

  /** The numbers of a text's tokens, without start and end. */
  encode(text) {
    const cased = this.lowercase ? text.toLowerCase() : text;
    return this.split(cased.normalize('NFC'))
      .map((word) => this.ids.get(word) ?? this.unknown);
  }

  /** The text of numbers, up to the end. */
  decode(ids) {
    const stop = ids.indexOf(this.end);
    return this.join((stop < 0 ? ids : ids.slice(0, stop))
      .filter((id) => id !== this.pad && id !== this.start));
  }

  pieces(ids) {
    return ids.map((id) => this.words[id]);
  }
}

class LosslessWords extends SentenceTokens {
  split(text) {
    let end = -1;
    const rule = this.punctuation ? WITHOUT_PUNCTUATION : WORDS;
    return [...text.matchAll(rule)].map(({0: word, index}) => {
      const glued = index === end;
      end = index + word.length;
      return glued ? GLUE + word : word;
    });
  }

  join(ids) {
    const text = this.pieces(ids).join(' ');
    return this.punctuation ? text.replace(/ ##(?=\S)/g, '') : text;
  }
}

class SentenceCharacters extends SentenceTokens {
  split(text) {
    return [...(text.match(WORDS) ?? []).join(' ')];
  }

  join(ids) {
    return ids.map((id) => id < SPECIAL ? '\ufffd' : this.words[id]).join('');
  }
}
