// A table of a series with dates, as an exported forecaster takes it.

const MILLISECONDS = {second: 1e3, minute: 6e4, day: 864e5};

/**
 * Reads the rows of a table, with a line of names, separated by commas, semicolons or
 * tabs; a first line may say which, as `sep=;`. Columns that are not asked for may be
 * there.
 *
 * `facts` is series.json. Gives `{rows, dates}`: arrays of numbers in the order of
 * `facts.columns`, and milliseconds since 1970, or null where there is no date.
 */
export function readTable(text, facts) {
  const lines = text.split(/\r?\n/).map((line, index) => ({line, number: index + 1}))
    .filter(({line}) => line.trim());
  if (!lines.length) return {rows: [], dates: null};
  const said = /^sep=([,;\t])\s*$/i.exec(lines[0].line);
  if (said) lines.shift();
  if (!lines.length) return {rows: [], dates: null};
  const separator = said?.[1] ?? separatorOf(lines[0].line);
  const cells = ({line}) => split(line, separator);
  const names = cells(lines[0]);
  const places = facts.columns.map((name) => {
    if (!names.includes(name)) {
      throw new Error(`The first line must name the column '${name}'; it has ` +
        `${names.join(', ')}.`);
    }
    return names.indexOf(name);
  });
  const body = lines.slice(1).map(({line, number}) => ({cells: cells({line}), number}));
  const rows = body.map(({cells, number}) => places.map((place, index) => {
    const value = cells[place] ? Number(cells[place]) : NaN;
    if (!Number.isFinite(value)) {
      throw new Error(`Line ${number} has no number in the column ` +
        `'${facts.columns[index]}': '${cells[place] ?? ''}'.`);
    }
    return value;
  }));
  return {rows, dates: facts.frequency && readDates(body, names, facts)};
}

// The one that the line has most of outside of quotes.
function separatorOf(line) {
  const bare = line.replace(/"[^"]*("|$)/g, '');
  const times = (x) => bare.split(x).length;
  return [',', ';', '\t'].reduce((best, x) => (times(x) > times(best) ? x : best));
}

// The cells of a line; a quoted one may hold the separator, and quotes twice.
function split(line, separator) {
  const found = [''];
  let quoted = false;
  for (const character of line) {
    if (character === '"') quoted = !quoted;
    if (character === separator && !quoted) found.push('');
    else found[found.length - 1] += character;
  }
  return found.map(
    (cell) => cell.trim().replace(/^"(.*)"$/, '$1').replaceAll('""', '"'));
}

function readDates(body, names, facts) {
  const [unit, step] = facts.frequency;
  const place = names.findIndex((name, index) => !facts.columns.includes(name) &&
    !Number.isNaN(parse(body[0]?.cells[index] ?? '', facts.clock)));
  if (place < 0) return null;
  const dates = body.map(({cells, number}) => {
    const date = parse(cells[place] ?? '', facts.clock);
    if (Number.isNaN(date)) {
      throw new Error(`Line ${number} has no date: '${cells[place] ?? ''}'.`);
    }
    return date;
  });
  for (let index = 1; index < dates.length; index += 1) {
    if (count(dates[index], unit) - count(dates[index - 1], unit) !== step) {
      throw new Error(`Line ${body[index].number}: the model was trained on rows ` +
        `${step} ${unit}${step > 1 ? 's' : ''} apart.`);
    }
  }
  return dates;
}

// Dates are those of a clock: whatever the browser's time zone is, as if of UTC. Of an
// offset from UTC it is as in `kerasseq.lite.calendar.as_date`.
const DAY = '([1-9]\\d{3})-(\\d\\d)(?:-(\\d\\d))?';
const TIME = '(\\d\\d):(\\d\\d)(?::(\\d\\d)(?:\\.\\d*)?)?';
const OFFSET = '(?:Z|([+-])(\\d\\d):?(\\d\\d))?';
const DATE = new RegExp(`^${DAY}(?:[T ]${TIME}${OFFSET})?$`);

function parse(text, clock) {
  const match = DATE.exec(text);
  if (!match) return NaN;
  const [year, month, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1, 7)
    .map((part) => (part === undefined ? undefined : Number(part)));
  const date = Date.UTC(year, month - 1, day, hour, minute, second);
  // Of the 31st of February JavaScript makes another day.
  const at = new Date(date);
  if (at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day ||
    at.getUTCHours() !== hour || at.getUTCMinutes() !== minute) return NaN;
  const [sign, hours, minutes] = match.slice(7);
  if (!sign || clock === 'local') return date;
  const ahead = MILLISECONDS.minute * (60 * Number(hours) + Number(minutes));
  return sign === '+' ? date - ahead : date + ahead;
}

/** How many whole units have passed since the beginning of 1970. */
export function count(date, unit) {
  if (unit !== 'month') return Math.floor(date / MILLISECONDS[unit]);
  const at = new Date(date);
  return 12 * (at.getUTCFullYear() - 1970) + at.getUTCMonth();
}

/** The dates that follow a date; steps of months keep the day, or the month's end. */
export function datesAfter(last, unit, step, num) {
  const steps = Array.from({length: num}, (_, index) => step * (index + 1));
  if (unit !== 'month') return steps.map((x) => last + x * MILLISECONDS[unit]);
  const at = new Date(last);
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  const days = (months) => new Date(Date.UTC(year, month + months + 1, 0)).getUTCDate();
  const atEnd = day === days(0);
  return steps.map((x) => Date.UTC(year, month + x, atEnd ? days(x) :
    Math.min(day, days(x))) + modulo(last, MILLISECONDS.day));
}

function modulo(number, size) {
  return ((number % size) + size) % size;
}

/** A date to show, as '2024-03-01 12:00', with seconds where there are some. */
export function shown(date) {
  const [day, time] = new Date(date).toISOString().slice(0, 19).split('T');
  if (time === '00:00:00') return day;
  return `${day} ${time.endsWith(':00') ? time.slice(0, 5) : time}`;
}
