/**
 * Creates an element. Text is always set as text, never as HTML.
 * @param {string} tag `div`, or `div.class`
 * @param {Record<string, string | (() => void)>} attributes `onclick` is a function
 */
export function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length > 0) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== ''));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** A term and its description. */
export const pair = (term, ...description) => [el('dt', {}, term), el('dd', {}, ...description)];
