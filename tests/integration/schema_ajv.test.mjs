// A second opinion on src/schema: random schemas and values, judged by Doorward (the schema_judge of the build) and by ajv.
//
// Where ajv 8.20 departs from the specification nothing is asked:
// - draft-07: keywords beside $ref count for ajv; the draft ignores them
// - multiples of decimal fractions: ajv divides doubles
// - `contains` and an empty array: ajv takes some
// - unevaluated…: ajv counts what misfitting branches, one another within, `contains` and dependentSchemas have seen, and does not
//   count what an `if` without `then` and `else` has seen
// areas: schema
import assert from 'node:assert/strict'
import { test } from 'node:test'
import Ajv7 from 'ajv'
import Ajv2020 from 'ajv/dist/2020.js'
import { casesOr, generator, judgeProgram, seed } from './lib/judge.mjs'

const judge = judgeProgram('schema_judge')
const cases = casesOr(4000)

const names = ['a', 'b', 'c', 'x-1', 'é']
const scalars = [null, true, false, 0, 1, 2, 3, -1, 0.5, 1.5, 1e3, '', 'a', 'ab', 'abc', 'é', '🐲', 'x-1', '1']
const patterns = ['^a', 'b$', '^[a-c]+$', '\\d', '^\\p{L}*$', '^.$', '^x-', '[^\\s]{2}', '^(a|ab)(c|bcd)?$', '(?=a)']
const types = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object']

function value(r, depth) {
  if (depth === 0 || r.chance(0.4)) return r.pick(scalars)
  if (r.chance(0.5)) return Array.from({ length: r.below(4) }, () => value(r, depth - 1))
  return Object.fromEntries(names.filter(() => r.chance(0.4)).map((n) => [n, value(r, depth - 1)]))
}

function some(r, list) {
  const chosen = list.filter(() => r.chance(0.4))
  return chosen.length ? chosen : [r.pick(list)]
}

// Each keyword: how to make its value. `sub` makes a subschema one level less deep.
const common = {
  type: (r) => (r.chance(0.5) ? r.pick(types) : some(r, types)),
  const: (r) => value(r, 2),
  enum: (r) => [...new Map([1, 2, 3].map(() => value(r, 1)).map((v) => [JSON.stringify(v), v])).values()],
  minimum: (r) => r.pick([-1, 0, 0.5, 1, 2]),
  maximum: (r) => r.pick([0, 1, 1.5, 2, 3]),
  exclusiveMinimum: (r) => r.pick([-1, 0, 1]),
  exclusiveMaximum: (r) => r.pick([1, 2, 1000]),
  multipleOf: (r) => r.pick([1, 2, 0.5, 3]),
  minLength: (r) => r.below(3),
  maxLength: (r) => r.below(3),
  pattern: (r) => r.pick(patterns),
  minItems: (r) => r.below(3),
  maxItems: (r) => r.below(4),
  uniqueItems: (r) => r.chance(0.8),
  contains: (r, sub) => sub(),
  minProperties: (r) => r.below(3),
  maxProperties: (r) => r.below(4),
  required: (r) => some(r, names.slice(0, 3)),
  properties: (r, sub) => Object.fromEntries(some(r, names).map((n) => [n, sub()])),
  patternProperties: (r, sub) => Object.fromEntries(some(r, patterns.slice(0, 4)).map((p) => [p, sub()])),
  additionalProperties: (r, sub) => (r.chance(0.4) ? false : sub()),
  propertyNames: (r, sub) => (r.chance(0.5) ? { maxLength: r.below(3) } : { pattern: r.pick(patterns) }),
  allOf: (r, sub) => [sub(), sub()],
  anyOf: (r, sub) => [sub(), sub()],
  oneOf: (r, sub) => [sub(), sub()],
  not: (r, sub) => sub(),
  if: (r, sub) => sub(),
  then: (r, sub) => sub(),
  else: (r, sub) => sub(),
}

const dialects = {
  'draft 2020-12': {
    Ajv: Ajv2020,
    uri: 'https://json-schema.org/draft/2020-12/schema',
    defs: '$defs',
    refSiblings: true,
    words: {
      ...common,
      prefixItems: (r, sub) => [sub(), sub()].slice(r.below(2)),
      items: (r, sub) => (r.chance(0.3) ? false : sub()),
      minContains: (r) => r.below(3),
      maxContains: (r) => 1 + r.below(3),
      dependentRequired: (r) => ({ [r.pick(names)]: some(r, names) }),
      dependentSchemas: (r, sub) => ({ [r.pick(names)]: sub() }),
      unevaluatedProperties: (r, sub) => (r.chance(0.7) ? false : sub()),
      unevaluatedItems: (r, sub) => (r.chance(0.7) ? false : sub()),
    },
  },
  'draft-07': {
    Ajv: Ajv7,
    uri: 'http://json-schema.org/draft-07/schema#',
    defs: 'definitions',
    refSiblings: false,
    words: {
      ...common,
      items: (r, sub) => (r.chance(0.5) ? sub() : [sub(), sub()]),
      additionalItems: (r, sub) => (r.chance(0.5) ? false : sub()),
      dependencies: (r, sub) => ({ [r.pick(names)]: r.chance(0.5) ? some(r, names) : sub() }),
    },
  },
}

// Only below these does a value become smaller, so that a $ref there cannot go on for ever.
const deeper = new Set(['properties', 'patternProperties', 'additionalProperties', 'items', 'prefixItems', 'contains',
  'additionalItems', 'unevaluatedProperties', 'unevaluatedItems'])

// Keywords that mean more together.
const companions = {
  contains: ['minContains', 'maxContains'],
  properties: ['required', 'additionalProperties', 'patternProperties', 'unevaluatedProperties'],
  prefixItems: ['items', 'unevaluatedItems'],
  items: ['additionalItems', 'uniqueItems'],
  if: ['then', 'else'],
  anyOf: ['unevaluatedProperties', 'properties'],
}

function subschema(r, dialect, depth, mayRefer) {
  if (r.chance(0.04)) return r.chance(0.7)
  const schema = {}
  if (mayRefer && r.chance(0.25)) {
    schema.$ref = `#/${dialect.defs}/${r.pick(['one', 'two'])}`
    if (!dialect.refSiblings || r.chance(0.5)) return schema
  }
  const usable = Object.keys(dialect.words).filter((w) => depth > 0 || !/Of$|not|if|then|else|tems|ropert|ontains|endent|dependencies/.test(w) || w === 'multipleOf')
  for (let n = 1 + r.below(3); n > 0; n--) {
    const word = r.pick(usable)
    for (const w of [word, ...(companions[word] ?? []).filter((c) => usable.includes(c) && r.chance(0.5))])
      schema[w] = dialect.words[w](r, () => subschema(r, dialect, depth - 1, mayRefer || deeper.has(w)))
  }
  if ('if' in schema && !('then' in schema || 'else' in schema)) schema.then = true
  return schema
}

function whole(r, dialect) {
  const schema = subschema(r, dialect, 3, false)
  if (typeof schema === 'boolean') return { $schema: dialect.uri, allOf: [schema] }
  return { $schema: dialect.uri, ...schema, [dialect.defs]: { one: subschema(r, dialect, 2, false), two: subschema(r, dialect, 1, false) } }
}

// A value that has a good chance of fitting.
function fitting(r, schema, root, depth) {
  if (typeof schema === 'boolean' || depth === 0) return value(r, 1)
  if (schema.$ref) return fitting(r, root[schema.$ref.split('/')[1]][schema.$ref.split('/')[2]], root, depth - 1)
  if ('const' in schema) return schema.const
  if (schema.enum?.length) return r.pick(schema.enum)
  const chosen = r.pick([].concat(schema.type ?? ['object', 'array', 'integer', 'string']))
  const inner = (s) => fitting(r, s ?? true, root, depth - 1)
  if (chosen === 'object') {
    const keys = new Set([...(schema.required ?? []), ...Object.keys(schema.properties ?? {}).filter(() => r.chance(0.6))])
    if (r.chance(0.3)) keys.add(r.pick(names))
    return Object.fromEntries([...keys].map((k) => [k, inner(schema.properties?.[k])]))
  }
  if (chosen === 'array') {
    const prefix = schema.prefixItems ?? (Array.isArray(schema.items) ? schema.items : [])
    const rest = Array.isArray(schema.items) ? schema.additionalItems : schema.items
    const n = Math.max(schema.minItems ?? 0, r.below(4))
    return Array.from({ length: n }, (_, i) => inner(prefix[i] ?? schema.contains ?? rest))
  }
  if (chosen === 'null') return null
  if (chosen === 'boolean') return r.chance(0.5)
  if (chosen === 'string') return r.pick(scalars.filter((s) => typeof s === 'string'))
  return r.pick(scalars.filter((s) => typeof s === 'number'))
}

const askable = (schema, instance) => !(schema.includes('"contains"') && instance.includes('[]'))
const unevaluatedOdd = (schema) => {
  const words = schema.match(/"(unevaluated\w+|contains|dependentSchemas)"/g) ?? []
  return words.length > 1 && words.some((w) => w.startsWith('"unevaluated'))
}

function pairs(dialect) {
  const r = generator(seed)
  const list = []
  while (list.length < cases) {
    const schema = whole(r, dialect)
    const text = JSON.stringify(schema)
    if (unevaluatedOdd(text)) continue
    const ajv = new dialect.Ajv({ strict: false, validateFormats: false, logger: false })
    const validate = ajv.compile(schema)
    for (let i = 0; i < 8; i++) {
      const instance = i % 2 ? value(r, 3) : fitting(r, schema, schema, 5)
      if (!askable(text, JSON.stringify(instance))) continue
      try {
        list.push({ schema, instance, expected: validate(instance) })
      } catch (e) {
        if (!(e instanceof TypeError)) throw e // ajv's own code fails on a few: no opinion
      }
    }
  }
  return list
}

for (const [name, dialect] of Object.entries(dialects)) {
  test(`${name}: ${cases} random pairs are judged as ajv judges them (seed ${seed})`, { skip: judge.skip }, () => {
    const list = pairs(dialect)
    const lines = judge.ask(list.map(({ schema, instance }) => JSON.stringify({ schema, instance })))
    const differing = list.flatMap(({ schema, instance, expected }, i) =>
      lines[i].startsWith(expected ? 'valid' : 'invalid:') ? [] : [{ schema, instance, ajv: expected, doorward: lines[i] }])
    const valid = list.filter((p) => p.expected).length / list.length
    assert.ok(valid > 0.2 && valid < 0.8, `a fair share of both verdicts, but ${valid} are valid`)
    assert.equal(differing.length, 0, differing.slice(0, 5).map((d) => JSON.stringify(d)).join('\n'))
  })
}
