// What the pages share: how they start, say what happens, and offer samples.

/**
 * Starts a page: `main({tell, guard})` is awaited, an error takes the place of the
 * status. What it returns is `window.kerasseq`, a promise.
 */
export function start(main) {
  const status = document.getElementById('status');
  const tell = (text, className = '') => Object.assign(
    status, {textContent: text, className});
  const fail = (error) => {
    console.error(error);
    tell(error?.message ?? String(error), 'error');
  };
  const guard = (call) => (...args) => call(...args).catch(fail);
  tell('Loading the model …');
  window.kerasseq = main({tell, guard});
  window.kerasseq.catch(fail);
}

/** An element with properties and children. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function replace(id, children) {
  document.getElementById(id).replaceChildren(...children);
}

/** A button for each sample, which `use`s it; the first one is used at once. */
export async function offerSamples(samples, content, use) {
  const buttons = samples.map((sample, index) => {
    const button = element('button', {}, content(sample, index + 1));
    button.onclick = () => {
      press(button);
      return use(sample);
    };
    return button;
  });
  replace('samples', buttons);
  await buttons[0]?.onclick();
}

/**
 * Shows the text of a box while it is written, and samples of it: strings, or objects
 * of a `label` and a `text`. `prepare` gets the one that was chosen.
 */
export async function followText(box, samples, show, prepare = () => {}) {
  let waiting;
  box.addEventListener('input', () => {
    press(null);
    clearTimeout(waiting);
    waiting = setTimeout(show, 200);
  });
  await offerSamples(samples, (sample) => sample.label ?? sample, (sample) => {
    box.value = sample.text ?? sample;
    prepare(sample);
    return show();
  });
}

/** Marks the sample that is shown, or none. */
export function press(pressed) {
  for (const button of document.querySelectorAll('#samples button')) {
    button.setAttribute('aria-pressed', button === pressed);
  }
}

/** A time to show, as '3.2 ms'. */
export function milliseconds(time) {
  return `${time < 10 ? time.toPrecision(2) : Math.round(time)} ms`;
}

/** A fraction to show, as '93.1 %'. */
export function percent(fraction) {
  return `${(100 * fraction).toFixed(1)} %`;
}

/** A size to show, as '2.7 MB' or '842 kB'. */
export function size(bytes) {
  const megabytes = (bytes / 1e6).toFixed(1);
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${megabytes} MB`;
}
