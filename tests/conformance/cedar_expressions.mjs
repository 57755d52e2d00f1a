// Random expressions of Cedar, of a wanted type: what a request of a schema can reach, put together by all operators and functions.
import { a, o, text } from './cedar_tree.mjs'
import { quote, identifier, key, ids, attrNames, strings, patterns, longs, texts, wrongTexts, T, same, randomType } from './cedar_types.mjs'

export const uidText = (type, id) => `${type}::${quote(id)}`

export class Writer {
  constructor(r, s, env, wrong, tangled) {
    Object.assign(this, { r, s, env, wrong, careless: wrong && 0.3, tangled })
    this.paths = []
    for (const [name, type] of [['principal', env.principal], ['resource', env.resource]])
      if (type) this.walk(text(name), { k: 'Entity', name: type }, [], 2)
    if (env.context) this.walk(text('context'), env.context, [], 2)
  }

  typeOf(name) {
    return this.s.types.find((t) => t.name === name)
  }

  // Everything that can be reached from a variable, with the tests that must come first.
  walk(from, type, guards, depth) {
    this.paths.push({ from, type, guards })
    if (depth === 0) return
    const entity = type.k === 'Entity' && this.typeOf(type.name)
    for (const [n, at] of Object.entries(entity ? entity.attrs : type.k === 'Record' ? type.attrs : {})) {
      const has = at.required ? [] : [o([``, ` has ${key(n)}`], from)]
      const access = identifier(n) && this.r.chance(0.8) ? `.${n}` : `[${quote(n)}]`
      this.walk(a(['', access], from), at.type, [...guards, ...has], depth - 1)
    }
    if (entity?.tags) {
      const tag = quote(this.r.pick(ids))
      this.walk(a([``, `.getTag(${tag})`], from), entity.tags, [...guards, a([``, `.hasTag(${tag})`], from)], depth - 1)
    }
  }

  literal(t, depth = 2) {
    const { r } = this
    if (t.k === 'Bool') return text(r.pick(['true', 'false']))
    if (t.k === 'Long') return text(r.pick(longs))
    if (t.k === 'String') return text(quote(r.pick(strings)))
    if (t.k === 'Entity') return text(uidText(t.name, r.pick(this.typeOf(t.name)?.ids ?? ids)))
    if (texts[t.k]) return text(`${t.k}(${quote(r.pick(r.chance(this.wrong) ? wrongTexts[t.k] : texts[t.k]))})`)
    if (t.k === 'Set') {
      const n = r.chance(this.wrong) ? 0 : 1 + r.below(depth > 0 ? 3 : 1)
      return this.list(Array.from({ length: n }, () => this.make(t.of, depth - 1)))
    }
    const fields = Object.entries(t.attrs).filter(([, at]) => at.required || r.chance(0.5))
    return this.list(fields.map(([, at]) => this.make(at.type, depth - 1)), '{}', fields.map(([n]) => `${key(n)}: `))
  }

  list(children, brackets = '[]', names = []) {
    const pieces = children.map((_, i) => (i ? ', ' : brackets[0]) + (names[i] ?? ''))
    return { pieces: [...pieces, children.length ? brackets[1] : brackets], children, atom: true }
  }

  // An expression of type t.
  make(t, depth) {
    const { r } = this
    if (r.chance(this.wrong / 2)) t = randomType(r, this.s, 1)
    const made = this.choose(t, depth)
    if (!made.atom && r.chance(0.08)) return { ...made, loose: true }
    return made
  }

  path(t) {
    const fitting = this.paths.filter((p) => same(p.type, t))
    if (!fitting.length) return null
    const { from, guards } = this.r.pick(fitting)
    if (!guards.length || this.r.chance(this.careless)) return from
    const test = guards.reduce((x, y) => o(['', ' && ', ''], x, y))
    if (t.k === 'Bool') return o(['', ' && ', ''], test, from)
    return o(['if ', ' then ', ' else ', ''], test, from, this.literal(t, 1))
  }

  choose(t, depth) {
    const { r } = this
    const sub = (type) => this.make(type, depth - 1)
    if (depth <= 0) return (r.chance(0.6) && this.path(t)) || this.literal(t, 0)
    if (r.chance(0.35)) return this.path(t) ?? this.literal(t, depth)
    if (r.chance(0.12)) return o(['if ', ' then ', ' else ', ''], sub(T.Bool), sub(t), sub(t))
    if (t.k === 'Bool') return r.chance(this.tangled) ? this.tangle(depth) : this.boolean(depth)
    if (t.k === 'Long')
      return r.pick([
        () => o(['', ' + ', ''], sub(t), sub(t)),
        () => o(['', ' - ', ''], sub(t), sub(t)),
        () => o(['', ' * ', ''], sub(t), sub(t)),
        () => o(['-', ''], sub(t)),
        () => a(['', `.${r.pick(['toMilliseconds', 'toSeconds', 'toMinutes', 'toHours', 'toDays'])}()`], sub(T.duration)),
      ])()
    if (t.k === 'datetime' && r.chance(0.6))
      return r.chance(0.5) ? a(['', '.offset(', ')'], sub(t), sub(T.duration)) : a(['', '.toDate()'], sub(t))
    if (t.k === 'duration' && r.chance(0.6))
      return r.chance(0.5) ? a(['', '.durationSince(', ')'], sub(T.datetime), sub(T.datetime)) : a(['', '.toTime()'], sub(T.datetime))
    if (t.k === 'Record' && r.chance(0.3)) return a(['', '.got'], this.list([sub(t), sub(T.Long)], '{}', ['got: ', 'other: ']))
    return r.chance(0.5) ? (this.path(t) ?? this.literal(t, depth)) : this.literal(t, depth)
  }

  boolean(depth) {
    const { r } = this
    const sub = (type) => this.make(type, depth - 1)
    const any = () => (r.chance(0.7) && r.pick(this.paths)?.type) || randomType(r, this.s, 1)
    const entity = () => ({ k: 'Entity', name: r.pick(this.s.types).name })
    const set = () => r.pick([...this.paths.map((p) => p.type).filter((t) => t.k === 'Set'), { k: 'Set', of: any() }])
    const twice = (t, op) => o(['', ` ${op} `, ''], sub(t), sub(t))
    return r.pick([
      () => o(['', ' && ', ''], sub(T.Bool), sub(T.Bool)),
      () => o(['', ' && ', ''], sub(T.Bool), sub(T.Bool)),
      () => o(['', ' || ', ''], sub(T.Bool), sub(T.Bool)),
      () => o(['!', ''], sub(T.Bool)),
      () => twice(any(), r.pick(['==', '!='])),
      () => twice(r.pick([T.Long, T.Long, T.datetime, T.duration]), r.pick(['<', '<=', '>', '>='])),
      () => this.below(depth),
      () => this.below(depth),
      () => this.has(),
      () => o(['', ` like "${r.pick(patterns)}"`], sub(T.String)),
      () => o(['', ` is ${entity().name}`], sub(entity())),
      () => o(['', ` is ${entity().name} in `, ''], sub(entity()), sub(entity())),
      () => this.contains(set(), depth),
      () => this.contains(set(), depth),
      () => a(['', '.isEmpty()'], sub(set())),
      () => a(['', '.hasTag(', ')'], sub(this.tagged(entity())), sub(T.String)),
      () => a(['', `.${r.pick(['lessThan', 'lessThanOrEqual', 'greaterThan', 'greaterThanOrEqual'])}(`, ')'], sub(T.decimal), sub(T.decimal)),
      () => a(['', `.${r.pick(['isIpv4', 'isIpv6', 'isLoopback', 'isMulticast'])}()`], sub(T.ip)),
      () => a(['', '.isInRange(', ')'], sub(T.ip), sub(T.ip)),
    ])()
  }

  // Tests of what may be missing, and what is done with it, in any order under &&, ||, ! and if: what the checker knows where.
  tangle(depth) {
    const { r } = this
    const guarded = this.paths.filter((p) => p.guards.length)
    const atoms = [text('true'), text('false'), text(`principal is ${r.pick(this.s.types).name}`), text(`resource is ${r.pick(this.s.types).name}`),
      text(`principal == ${uidText(r.pick(this.s.types).name, 'a')}`), text(`action == ${uidText(this.s.actionType, r.pick(this.s.actions).name)}`)]
    for (const p of [r.pick(guarded), r.pick(guarded)].filter(Boolean)) {
      const use = p.type.k === 'Bool' ? p.from : o(['', ' == ', ''], p.from, this.literal(p.type, 1))
      for (let n = 3; n > 0; n--) atoms.push(...p.guards, use)
    }
    for (const t of this.s.types) {
      const bool = Object.entries(t.attrs).find(([n, at]) => at.type.k === 'Bool' && identifier(n))
      if (bool) atoms.push(text(`principal.${bool[0]}`), text(`principal has ${bool[0]}`), text(`principal is ${t.name}`))
    }
    const grow = (d) => {
      if (d <= 0 || r.chance(0.15)) return r.pick(atoms)
      return r.pick([
        () => o(['', ' && ', ''], grow(d - 1), grow(d - 1)),
        () => o(['', ' && ', ''], grow(d - 1), grow(d - 1)),
        () => o(['', ' || ', ''], grow(d - 1), grow(d - 1)),
        () => o(['!', ''], grow(d - 1)),
        () => o(['if ', ' then ', ' else ', ''], grow(d - 1), grow(d - 1), grow(d - 1)),
      ])()
    }
    return grow(Math.min(depth + 1, 4))
  }

  tagged(otherwise) {
    const t = this.s.types.filter((x) => x.tags)
    return t.length && !this.r.chance(this.wrong) ? { k: 'Entity', name: this.r.pick(t).name } : otherwise
  }

  contains(t, depth) {
    const sub = (type) => this.make(type, depth - 1)
    const how = this.r.pick(['contains', 'containsAll', 'containsAny'])
    return a(['', `.${how}(`, ')'], sub(t), sub(how === 'contains' ? t.of : t))
  }

  below(depth) {
    const { r } = this
    if (r.chance(0.2)) return o(['action in ', ''], this.actions())
    const from = { k: 'Entity', name: r.pick([this.env.principal, this.env.resource, r.pick(this.s.types).name].filter(Boolean)) }
    const up = this.typeOf(from.name)?.parents ?? []
    const to = { k: 'Entity', name: r.pick([...up, ...up, from.name, r.pick(this.s.types).name]) }
    return o(['', ' in ', ''], this.make(from, depth - 1), this.make(r.chance(0.3) ? { k: 'Set', of: to } : to, depth - 1))
  }

  actions() {
    const { r, s } = this
    const one = () => text(uidText(s.actionType, r.chance(this.wrong) ? 'none' : r.pick(s.actions).name))
    return r.chance(0.5) ? one() : this.list(Array.from({ length: 1 + r.below(2) }, one))
  }

  has() {
    const { r } = this
    const from = r.pick(this.paths.filter((p) => p.type.k === 'Entity' || p.type.k === 'Record'))
    if (!from) return text('true')
    const attrs = Object.keys((from.type.k === 'Entity' ? this.typeOf(from.type.name)?.attrs : from.type.attrs) ?? {})
    const first = r.pick(attrs.length && r.chance(0.8) ? attrs : attrNames)
    const second = identifier(first) && r.chance(0.2) ? `.${r.pick(attrNames.filter(identifier))}` : ''
    const test = o(['', ` has ${key(first)}${second}`], from.from)
    return from.guards.length && !r.chance(this.careless) ? o(['', ' && ', ''], from.guards.reduce((x, y) => o(['', ' && ', ''], x, y)), test) : test
  }
}
