// Words as the numbers that a tagger reads, as in kerasseq/lite/_word_features.py.

import {normalize} from './words.js';

const UNKNOWN = 1, FIRST = 2, SUFFIX_LENGTH = 3;  // 0 is padding

export class WordFeatures {
  /** `vocabulary` is what vocabulary.json holds. */
  constructor({words, characters, suffixes, word_length}) {
    const table = (keys) => new Map(keys.map((key, place) => [key, place + FIRST]));
    this.tables = {
      words: table(words), characters: table(characters), suffixes: table(suffixes),
    };
    this.wordLength = word_length;
  }

  /** The inputs of the signature for one sentence, {name: Int32Array}. */
  encode(words, length) {
    const {tables, wordLength} = this;
    const inputs = {words: row(tables.words, words.map(wordKey), length)};
    if (tables.characters.size) {
      inputs.characters = new Int32Array(length * wordLength);
      words.forEach((word, place) => {
        const last = [...normalize(word)].slice(-wordLength);
        inputs.characters.set(
          row(tables.characters, last, wordLength), place * wordLength);
      });
    }
    if (tables.suffixes.size) {
      inputs.suffixes = row(tables.suffixes, words.map(suffixKey), length);
    }
    return inputs;
  }
}

function row(table, keys, length) {
  const ids = new Int32Array(length);
  ids.set(keys.map((key) => table.get(key) ?? UNKNOWN));
  return ids;
}

function wordKey(word) {
  return normalize(word).toLowerCase().replace(/\p{Nd}/gu, '0');
}

function suffixKey(word) {
  const [first] = normalize(word);
  const capital = first !== undefined && /[\p{Lu}]/u.test(first);
  return (capital ? 'A' : 'a') + [...wordKey(word)].slice(-SUFFIX_LENGTH).join('');
}
