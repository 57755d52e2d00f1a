// Random schemas of Cedar, and the names, values and types that random cases are made of.

const escapes = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r', '\0': '\\0' }
export const quote = (s) => `"${[...s].map((c) => escapes[c] ?? c).join('')}"`
export const identifier = (s) => /^[A-Za-z_][A-Za-z_0-9]*$/.test(s) && !/^(true|false|if|then|else|in|is|like|has|__cedar)$/.test(s)
export const key = (s) => (identifier(s) ? s : quote(s))

export const ids = ['a', 'b', 'c', 'd e', 'é"\\', '', 'x*y']
export const attrNames = ['a', 'b', 'c', 'name', 'n', 'level', 'has', 'x y', 'é', 'if', '', 'principal']
export const strings = ['', 'a', 'ab', 'abc', 'a*b', 'é🐲', 'x y', 'a\nb', '"\\"', '\0', 'A', 'aab']
export const patterns = ['*', 'a*', '*b', 'a*b', 'a\\*b', '*a*b*', '', 'é*', '\\u{1F432}*', '**', '*\\"*', 'a\\n*']
export const longs = ['0', '1', '2', '3', '7', '42', '-1', '-7', '100', '9223372036854775807', '-9223372036854775808',
  '4611686018427387904', '3037000500']
export const texts = {
  decimal: ['0.0', '1.5', '-1.2345', '12.34', '0.1', '922337203685477.5807', '-922337203685477.5808', '1.50', '00.5', '-0.0'],
  ip: ['127.0.0.1', '10.0.0.0/8', '10.1.2.3', '192.168.0.1/24', '::1', 'ff00::/8', '2001:db8::1/64', '224.0.0.1', '0.0.0.0/0',
    '::/0', '1:2:3:4:5:6:7:8', '127.0.0.1/32', '127.1.2.3/16', 'FF02::1', '::ffff:0:0/96'],
  datetime: ['2024-10-15', '1970-01-01', '2024-10-15T11:35:00Z', '2024-10-15T11:35:00.123Z', '2024-10-15T11:35:00+0130',
    '2024-02-29T23:59:59.999-1200', '1969-12-31T23:59:59Z', '0000-01-01', '9999-12-31T23:59:59.999Z'],
  duration: ['1d2h3m4s5ms', '-1h', '1ms', '0ms', '90m', '1d', '86400000ms', '-1d1ms', '9223372036854775807ms', '106751991167d', '2h'],
}
export const wrongTexts = {
  decimal: ['1', '1.', '.5', '1.23456', '+1.0', '922337203685477.5808', 'a', '', ' 1.0', '1.0 ', '1e1', '--1.0'],
  ip: ['1.2.3', '256.0.0.1', '1.2.3.4/33', '01.2.3.4', '::g', '1.2.3.4/', '::1/129', '1::2::3', '', '::ffff:1.2.3.4', '1.2.3.4/08',
    '1.2.3.4/+8', '12345::', ' 1.2.3.4'],
  datetime: ['2024-13-01', '2023-02-29', '2024-10-15T', '2024-10-15T24:00:00Z', '2024-10-15T11:35:60Z', '2024-10-15T11:35:00',
    '2024-1-1', '2024-10-15T11:35:00.1Z', '2024-10-15T11:35:00+2400', '2024-10-15 ', '+2024-10-15', '2024-10-15T11:35:00z',
    '2024-10-15T11:35:00+01:00', ''],
  duration: ['1', 'h', '1h1d', '1h1h', '', '-', '9223372036854775808ms', '1 h', '+1h', '1H', '1.5h', '106751991168d', '1dms'],
}
export const extKinds = Object.keys(texts)

export const T = Object.fromEntries(['Bool', 'Long', 'String', ...extKinds].map((k) => [k, { k }]))
export const same = (x, y) =>
  x.k === y.k && (x.k !== 'Entity' || x.name === y.name) && (x.k !== 'Set' || same(x.of, y.of)) &&
  (x.k !== 'Record' || (Object.keys(x.attrs).length === Object.keys(y.attrs).length &&
    Object.entries(x.attrs).every(([n, t]) => y.attrs[n] && y.attrs[n].required === t.required && same(t.type, y.attrs[n].type))))

export function randomType(r, s, depth) {
  const x = r.below(depth > 0 ? 14 : 9)
  if (x < 1) return T.Bool
  if (x < 3) return T.Long
  if (x < 4) return T.String
  if (x < 6) return { k: 'Entity', name: r.pick(s.types).name }
  if (x < 9) return T[r.pick(extKinds)]
  if (x < 11) return { k: 'Set', of: randomType(r, s, depth - 1) }
  if (x < 12 && s.common.length) return r.pick(s.common).type
  return { k: 'Record', attrs: randomAttrs(r, s, depth - 1) }
}

function randomAttrs(r, s, depth) {
  const attrs = {}
  for (let n = r.below(4); n > 0; n--) attrs[r.pick(attrNames)] = { type: randomType(r, s, depth), required: r.chance(0.6) }
  return attrs
}

// A name as it may be written within the namespace `space`.
const nameIn = (r, space, name) => (space && name.startsWith(space) && r.chance(0.6) ? name.slice(space.length) : name)

function typeText(r, t, s, space) {
  const common = s.common.find((c) => c.type === t)
  if (common) return nameIn(r, space, common.name)
  if (t.k === 'Set') return `Set<${typeText(r, t.of, s, space)}>`
  if (t.k === 'Record') return attrsText(r, t.attrs, s, space)
  if (t.k === 'Entity') return nameIn(r, space, t.name)
  return (r.chance(0.05) ? '__cedar::' : '') + (t.k === 'ip' ? 'ipaddr' : t.k)
}
const attrsText = (r, attrs, s, space) =>
  `{${Object.entries(attrs)
    .map(([n, { type, required }]) => `${noted(r)}${key(n)}${required ? '' : '?'}: ${typeText(r, type, s, space)}`)
    .join(', ')}${r.chance(0.1) && Object.keys(attrs).length ? ',' : ''}}`
const noted = (r) => (r.chance(0.04) ? r.pick(['@doc("x") ', '@a ', '@if("\\n")\n']) : '')

export function randomSchema(r) {
  const s = { types: [], common: [], actions: [] }
  const space = r.pick(['', '', 'App::', 'Lib::Core::'])
  const second = r.chance(0.2) ? 'Other::' : space
  for (const name of ['User', 'Team', 'Doc', 'Folder', 'Color', 'in_1'].slice(0, 3 + r.below(4)))
    s.types.push({ space: r.chance(0.8) ? space : second, base: name })
  for (const t of s.types) {
    t.name = t.space + t.base
    if (t.base === 'Color') t.ids = ids.slice(0, 1 + r.below(3))
  }
  for (const name of ['Level', 'Address', 'Tagging'].slice(0, r.below(4)))
    s.common.push({
      name: space + name, space, base: name,
      type: { ...(r.chance(0.5) ? { k: 'Record', attrs: randomAttrs(r, s, 1) } : randomType(r, { types: s.types, common: [] }, 1)) },
    })
  for (const t of s.types) {
    t.parents = t.ids ? [] : s.types.filter(() => r.chance(0.3)).map((p) => p.name)
    t.attrs = t.ids ? {} : randomAttrs(r, s, 2)
    if (!t.ids && r.chance(0.4)) t.tags = randomType(r, s, 1)
  }
  s.actionType = `${space}Action`
  s.space = space
  for (const name of ['view', 'edit', 'a b', 'all'].slice(0, 2 + r.below(3))) {
    const groups = s.actions.filter(() => r.chance(0.3)).map((x) => x.name)
    const act = { name, groups, principals: [], resources: [], context: { k: 'Record', attrs: {} } }
    if (s.actions.length === 0 || r.chance(0.85)) {
      act.principals = some(r, s.types).map((t) => t.name)
      act.resources = some(r, s.types).map((t) => t.name)
      const record = s.common.find((c) => c.type.k === 'Record')
      act.context = record && r.chance(0.3) ? record.type : { k: 'Record', attrs: randomAttrs(r, s, 2) }
    }
    s.actions.push(act)
  }
  return s
}

export function some(r, list) {
  const chosen = list.filter(() => r.chance(0.4))
  return chosen.length ? chosen : [r.pick(list)]
}

export function schemaText(r, s) {
  const spaces = new Map()
  const say = (space, line) => spaces.set(space, [...(spaces.get(space) ?? []), noted(r) + line])
  const names = (space, list) =>
    list.length === 1 && r.chance(0.3) ? nameIn(r, space, list[0]) : `[${list.map((n) => nameIn(r, space, n)).join(', ')}]`
  for (const c of s.common) say(c.space, `type ${c.base} = ${typeText(r, { ...c.type }, s, c.space)};`)
  for (const t of s.types) {
    const parents = t.parents.length ? ` in ${names(t.space, t.parents)}` : ''
    const attrs = Object.keys(t.attrs).length || r.chance(0.1) ? r.pick([' ', ' ', ' = ']) + attrsText(r, t.attrs, s, t.space) : ''
    const tags = t.tags ? ` tags ${typeText(r, t.tags, s, t.space)}` : ''
    say(t.space, `entity ${t.base}${t.ids ? ` enum [${t.ids.map(quote).join(', ')}]` : parents + attrs + tags};`)
  }
  const group = (g) => r.pick([quote(g), quote(g), key(g), `Action::${quote(g)}`, `${s.actionType}::${quote(g)}`])
  for (const x of s.actions) {
    const context = Object.keys(x.context.attrs).length || r.chance(0.5) ? `, context: ${typeText(r, x.context, s, s.space)}` : ''
    say(s.space, `action ${key(x.name)}${x.groups.length ? ` in [${x.groups.map(group).join(', ')}]` : ''}${
      x.principals.length ? ` appliesTo {principal: ${names(s.space, x.principals)}, resource: ${names(s.space, x.resources)}${context}}` : ''};`)
  }
  return [...spaces]
    .map(([space, lines]) => (space ? `${noted(r)}namespace ${space.slice(0, -2)} {\n${lines.join('\n')}\n}` : lines.join('\n')))
    .join('\n')
}
