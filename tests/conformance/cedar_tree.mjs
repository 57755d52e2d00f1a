// A text as a tree until it is asked: a node has pieces of text with children between them, so that a comparison can make a failing
// case smaller by putting a child in its parent's place. And texts and JSON values that are broken on purpose.

// A child gets brackets unless it needs none, or its parent's text has some; `loose`: none although it might need them.
const node = (atom) => (pieces, ...children) => ({ pieces, children, atom })
export const a = node(true) // a member, a call, a literal
export const o = node(false) // operators
export const text = (s) => ({ pieces: [s], children: [], atom: true })

export function render(n) {
  if (typeof n === 'string') return n
  return n.pieces.reduce((out, piece, i) => {
    const child = n.children[i - 1]
    const open = /[(\[{,:]\s*$/.test(n.pieces[i - 1]) && /^\s*[)\]},:]/.test(piece)
    return out + (child.atom || child.loose || open ? render(child) : `(${render(child)})`) + piece
  })
}

// Trees that are like n but smaller, largest change first.
export function* smaller(n) {
  for (const c of n.children) yield c
  if (n.children.length || n.pieces[0] !== 'true') yield text('true')
  for (const [i, c] of n.children.entries())
    for (const s of smaller(c)) yield { ...n, children: n.children.map((old, k) => (k === i ? s : old)) }
}

// ---- broken texts

const strangers = [
  ...'(){}[]@?:;,.=<>!&|+-*/%"\\ \0é\n', 'in', 'has', 'is', 'like', 'if', 'else', 'true', '__cedar', '?principal', '9223372036854775808',
  '0x1', '"\\q"', '"\\x80"', '"\\u{110000}"', '//',
]

// A token is dropped, doubled, exchanged, or put in from elsewhere.
export function broken(r, text) {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*|\d+|::|&&|\|\||[=!<>]=|\s+|[^]/g) ?? []
  for (let n = 1 + r.below(2); n > 0 && tokens.length; n--) {
    const i = r.below(tokens.length)
    const other = r.pick([r.pick(tokens), ...strangers])
    const change = r.below(4)
    tokens.splice(i, change === 2 ? 0 : 1, ...[[], [tokens[i], tokens[i]], [other], [other]][change])
  }
  return tokens.join('')
}

// A JSON value with something in it exchanged, dropped, doubled, or called otherwise.
const user = { type: 'User', id: 'a' }
const junk = [null, true, 0, -1, 1.5, 9007199254740991, '', 'a', '1.5', '1.2.3.4', 'User', 'App::User', 'Long', '?principal', '==',
  'in', [], {}, [[]], ['a'], user,
  { __entity: user }, { __entity: { type: 'in', id: 'a' } }, { __entity: { type: 'User' } }, { __entity: { ...user, x: 1 } },
  { __extn: { fn: 'ip', arg: '::1' } }, { __extn: { fn: 'nip', arg: '::1' } }, { __extn: { fn: 'ip' } }, { __extn: { fn: 'decimal',
    arg: 1 } },
  { __extn: { fn: 'ip', args: ['::1'] } }, { __extn: { fn: 'offset', args: [{ __extn: { fn: 'datetime', arg: '2024-01-01' } }, { __extn: { fn: 'duration',
    arg: '1h' } }] } },
  { __expr: 'ip("::1")' }, { uid: user, attrs: {}, parents: [] }, { type: 'Long' }, { type: 'Set' }, { type: 'Set',
    element: { type: 'String' } },
  { type: 'Record', attributes: { a: { type: 'Long', required: false } } }, { type: 'Record' }, { type: 'Entity', name: 'User' },
    { type: 'EntityOrCommon', name: 'Long' },
  { type: 'Extension', name: 'ipaddr' }, { type: 'Extension', name: 'nothing' }, { type: 'Nothing' }, { enum: ['a'] }, { enum: [] },
    { memberOfTypes: ['User'] },
  { Var: 'principal' }, { Var: 'x' }, { Value: 1 }, { Value: 'a' }, { Value: { __entity: user } }, { Slot: '?principal' },
    { '!': { arg: { Value: true } } },
  { '==': { left: { Value: 1 }, right: { Var: 'context' } } }, { '.': { left: { Var: 'context' }, attr: 'a' } }, { has: { left: { Var: 'context' }, attr: ['a',
    'b'] } },
  { like: { left: { Value: 'a' }, pattern: ['Wildcard', { Literal: 'a' }] } }, { is: { left: { Var: 'principal' },
    entity_type: 'User' } }, { Set: [] }, { Record: {} },
  { ip: [{ Value: '::1' }] }, { nothing: [{ Value: 1 }] }, { op: 'All' }, { op: '==', entity: user }, { op: 'in',
    slot: '?resource' }, { op: 'is', entity_type: 'User' },
  { kind: 'when', body: { Value: true } }, 'Wildcard', { Literal: 'x' }]
const junkKeys = ['extra', 'attrs', 'tags', 'parents', 'type', 'name', 'a', '__entity', '__extn', 'op', 'slot', 'entity',
  'entities', 'in', 'is', 'has', 'left', 'right', 'arg', 'args',
  'required', 'attributes', 'additionalAttributes', 'element', 'enum', 'shape', 'memberOf', 'memberOfTypes', 'appliesTo',
    'principalTypes', 'context', 'annotations', 'commonTypes', 'kind', 'body', 'Value', 'Var', '']

export function brokenValue(r, v) {
  if (typeof v !== 'object' || v === null || r.chance(0.06)) return r.pick(junk)
  if (Array.isArray(v)) {
    const i = r.below(v.length + 1)
    if (i === v.length) return [...v, r.chance(0.3) && v.length ? v[0] : r.pick(junk)]
    return r.chance(0.1) ? v.filter((_, k) => k !== i) : v.map((x, k) => (k === i ? brokenValue(r, x) : x))
  }
  const keys = Object.keys(v)
  const k = r.pick(keys)
  if (k === undefined || r.chance(0.06)) return { ...v, [r.pick(junkKeys)]: r.pick(junk) }
  const rest = Object.fromEntries(Object.entries(v).filter(([n]) => n !== k))
  if (r.chance(0.08)) return rest
  if (r.chance(0.05)) return { ...rest, [r.pick(junkKeys)]: v[k] }
  return { ...v, [k]: brokenValue(r, v[k]) }
}
