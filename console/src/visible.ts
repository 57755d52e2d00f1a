// Text of others, fit for showing: what is invisible or turns the direction of a line is written out, as the gateway does it.
const RANGES = ['\\0-\\x1f', '\\x7f-\\x9f', '\\xad\\u034f\\u061c', '\\u115f\\u1160', '\\u17b4\\u17b5', '\\u180b-\\u180f', '\\u200b-\\u200f',
                '\\u2028-\\u202e', '\\u2060-\\u206f', '\\u3164\\ufeff\\uffa0', '\\ufe00-\\ufe0d', '\\ufff0-\\ufffb',
                '\\u{1d173}-\\u{1d17a}', '\\u{e0000}-\\u{e0fff}', '\\ud800-\\udfff']
const HIDDEN = new RegExp(`[${RANGES.join('')}]`, 'gu')

const written = (c: string) => {
  const point = c.codePointAt(0)!
  return c === '\n' ? '\\n' : point < 0x80 ? `\\x${point.toString(16).padStart(2, '0')}` : `\\u{${point.toString(16)}}`
}

export const visible = (text: string) => text.replace(HIDDEN, written)

// The same inside of JSON: its own escapes, so that it stays the JSON that it is.
export const visibleJson = (text: string) => text.replace(HIDDEN, (c) =>
  [...Array(c.length).keys()].map((i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''))
