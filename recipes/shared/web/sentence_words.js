// Words of captions from their numbers, as kerasseq/lite/_sentence_words.py has them.
export class SentenceWords {
  constructor({words, pad, start, end}) {
    this.words = words;
    this.hidden = new Set([pad, start]);
    this.end = end;
  }

  /** The text of some numbers up to the end. */
  decode(ids) {
    const end = ids.indexOf(this.end);
    const found = (end < 0 ? ids : ids.slice(0, end))
      .filter((id) => !this.hidden.has(id)).map((id) => this.words[id]);
    return join(found);
  }
}

/** The text of some words, with punctuation where a reader expects it. */
export function join(words) {
  return words.join(' ').replace(/ (?=[.,;:!?)\]}%])/g, '')
    .replace(/(?<=[([{]) /g, '').replace(/(?<=[^ ]) - (?=[^ ])/g, '-');
}
