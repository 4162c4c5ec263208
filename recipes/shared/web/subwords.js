// SentencePiece's unigram subwords from vocabulary.json: text to ids and back.

const SPACE = '▁';
const UNKNOWN_PENALTY = 10;  // below the rarest piece, as in SentencePiece
// What the rule nmt_nfkc takes for spaces, what it drops, and what it keeps.
const SPACES = new RegExp('[\\t\\n\\f\\r\\u00a0\\u061c\\u1680\\u2000-\\u200c\\u200e' +
  '\\u200f\\u2028\\u2029\\u202f\\u205f\\u2581\\u3000\\ufeff\\ufffd]', 'g');
const DROPPED = /[\0-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]/g;
const KEPT = '～';

export class Subwords {
  /** `vocabulary` is what vocabulary.json holds. */
  constructor(vocabulary) {
    this.vocabulary = vocabulary;
    const {pieces, scores, pad, unknown, start, end} = vocabulary;
    this.special = new Set([pad, unknown, start, end]);
    this.ids = new Map();
    this.unknownScore = Infinity;
    this.longest = 1;
    pieces.forEach((piece, id) => {
      if (this.special.has(id)) return;
      this.ids.set(piece, id);
      this.unknownScore = Math.min(this.unknownScore, scores[id]);
      this.longest = Math.max(this.longest, [...piece].length);
    });
    this.unknownScore = Math.fround(this.unknownScore - UNKNOWN_PENALTY);
  }

  /** The ids of the most probable subwords, without start and end. */
  encode(text) {
    const characters = [...this.normalize(text)];
    const best = this.bestEnds(characters);
    const ids = [];
    for (let end = characters.length; end > 0; end = best[end].begin) {
      const {id} = best[end];  // neighboring unknown characters are one piece
      if (id !== this.vocabulary.unknown || ids[0] !== id) ids.unshift(id);
    }
    return ids;
  }

  /** The text of ids, up to the end. */
  decode(ids) {
    const {pieces, unknown, end} = this.vocabulary;
    const stop = ids.indexOf(end);
    const shown = Array.from(stop < 0 ? ids : ids.slice(0, stop), (id) => {
      if (id === unknown) return ' ⁇ ';
      return this.special.has(id) ? '' : pieces[id];
    });
    return shown.join('').replace(/^▁+/, '').replaceAll(SPACE, ' ');
  }

  /** NFKC, lower case where trained so, and spaces as SentencePiece has them. */
  normalize(text) {
    const cased = this.vocabulary.lowercase ? text.toLowerCase() : text;
    const spaced = cased.replace(DROPPED, '').replace(SPACES, ' ');
    const parts = spaced.split(KEPT).map((part) => part.normalize('NFKC'));
    const words = parts.join(KEPT).split(' ').filter(Boolean);
    return words.map((word) => SPACE + word).join('');
  }

  /** Viterbi: for each end the id and the begin of the best last piece. */
  bestEnds(characters) {
    const best = [{score: 0}];
    for (let begin = 0; begin < characters.length; begin++) {
      const offer = (end, id, score) => {
        const total = Math.fround(best[begin].score + score);
        if (!best[end] || total > best[end].score) best[end] = {begin, id, score: total};
      };
      let piece = '';
      const limit = Math.min(characters.length, begin + this.longest);
      for (let end = begin + 1; end <= limit; end++) {
        piece += characters[end - 1];
        const id = this.ids.get(piece);
        if (id !== undefined) offer(end, id, this.vocabulary.scores[id]);
      }
      if (!this.ids.has(characters[begin])) {
        offer(begin + 1, this.vocabulary.unknown, this.unknownScore);
      }
    }
    return best;
  }
}
