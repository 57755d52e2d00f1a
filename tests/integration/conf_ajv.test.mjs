// The JSON Schema that editors use, before ajv: it is a valid schema, takes what the parser takes, and refuses what the parser
// refuses, over a table and random changes of a good configuration.
//
// Known differences, where the schema is the more generous one: what a pattern cannot say. See `lenient` below. A reference to the
// environment stands for any text, so that ${…} always fits the schema.
// areas: conf
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Ajv2020 from 'ajv/dist/2020.js'
import { TOP } from './lib/gate.mjs'
import { casesOr, generator, judgeProgram, seed } from './lib/judge.mjs'

const judge = judgeProgram('conf_judge', { TOKEN: '0123456789abcdef' })
const { skip } = judge
const cases = casesOr(600)

const schema = () => JSON.parse(judge.run(['schema']).stdout)
const compiled = () => new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }).compile(schema())

// The parser's verdict on each configuration: '' or its faults.
const verdicts = (list) => judge.ask(list.map((c) => JSON.stringify(c))).map((l) => (l === 'valid' ? '' : l))

// Faults that no schema says: each of the parser's faults must be one of these when ajv takes what the parser refuses.
const lenient = [
  /must be from /, // bounds of durations and of sizes with a unit, and numbers written as text
  /is no network/, /must be an address/, /must be a URL/, /must be a time of day/, /must be a rate/, // digits beyond their range
  /must be a size/, /must be a whole number/, /must be a duration/,
  /a server's name must be/, /names no tool/, // names of a mapping's members
  /changes nothing/, /default_lifetime is longer/, /timezone is wrong/, /another operator/, // rules about several values
  /go with (command|url)/, /loopback address only/,
  /the environment has no variable/, /holds no variable/, /without \}/, /file: without a path|must be file:PATH of a file/,
  /the token is too short/, /"0123456789abcdef" is wrong/, // what ${TOKEN} stands for
]

const whole = () => ({
  listen: '127.0.0.1:8420', public_url: 'https://door.example', data_dir: './data', workers: 2,
  trusted_proxies: ['10.0.0.0/8', '::1'], allowed_origins: ['https://a.example'], allowed_hosts: ['door.example'],
  admin: { listen: '[::1]:8421', allowed_hosts: [] }, log: { level: 'debug' },
  token: { alg: 'ES256', lifetime: '10m', assertion_max_age: '60s' },
  agents: { default_lifetime: '24h', max_lifetime: '90d', max_concurrent_sessions: 3 },
  session: { max_tool_calls: 10, rate: '5/second', allowed_cidrs: ['192.0.2.0/24'] },
  limits: { agent_rate: 'none', connections: 100, body_bytes: '1MiB', result_bytes: 65536, arena_bytes: '8MiB',
    call_timeout: '1500ms', stop_grace: '0s' },
  audit: { durability: 'async', segment_bytes: '1MiB', mask: ['iban', '*_address'], queue: 65536 },
  servers: {
    orders: { url: 'http://127.0.0.1:3000/mcp', headers: { Authorization: 'Bearer ${TOKEN}', 'X-N': 5 }, protocol: '2025-11-25', timeout: '5s' },
    files: { command: ['npx', '-y', 1, true], env: { HOME: '/tmp' }, cwd: 'x', isolation: 'session', max_processes: 2,
      sandbox: 'on', network: true, read: ['books', '/opt/x'], write: ['shared'],
      limits: { memory: '512MiB', open_files: 64, processes: 8, cpu: '10s' } },
  },
  tools: { 'orders/*': { rate: '10/minute', agent_rate: '1/hour' } },
  scopes: [{ when: { agent_type: 'support', agent: 'a', env: 'prod', tier: 'free', trigger: 'user', hours: '22:00-06:00', timezone: 'local' },
    add: ['a:b'], keep: ['*:read'], drop: [] }],
  operators: [{ name: 'ines', role: 'admin', token: '${TOKEN}' }],
})

const good = [
  { trial: { anonymous: 'visitor' } }, { trial: {} },
  {}, whole(), { token: null, log: {} }, { servers: {} }, { workers: '3' }, { workers: '${N:-4}' }, { listen: '${A:-127.0.0.1}:${P:-80}' },
  { limits: { body_bytes: '${B:-1MiB}' } }, { session: { rate: '${R:-none}' } }, { scopes: [{ keep: [] }] },
  { servers: { a: { url: '${U:-http://a}' } } }, { log: { level: '${L:-warn}' } },
  { servers: { a: { command: ['x'], network: 'false', sandbox: 'off', read: [], write: ['${W:-w}'] } } }, { servers: { a: { command: ['x'], network: '${N:-true}' } } },
]
const bad = [
  { trial: 'visitor' },
  [], 'x', 5, { wokers: 1 }, { workers: 0 }, { workers: 65 }, { workers: 1.5 }, { workers: true }, { workers: null }, { listen: 8420 },
  { listen: '' }, { listen: 'localhost' }, { token: [] }, { token: { lifetime: 15 } }, { token: { lifetime: '15' } },
  { token: { alg: 'HS256' } }, { log: { level: 'loud' } }, { session: { rate: '5/fortnight' } }, { session: { rate: 5 } },
  { session: { allowed_cidrs: '10.0.0.0/8' } }, { session: { allowed_cidrs: ['ten'] } }, { limits: { body_bytes: '1MB' } },
  { audit: { mask: [['x']] } }, { audit: { mask: { x: 1 } } }, { servers: [] }, { servers: { a: {} } }, { servers: { a: null } },
  { servers: { a: { url: 'http://a', command: ['x'] } } }, { servers: { a: { url: 'ftp://a' } } }, { servers: { a: { command: 'x' } } },
  { servers: { a: { url: 'http://a', headers: ['x'] } } }, { servers: { a: { command: ['x'], network: 'yes' } } },
  { servers: { a: { command: ['x'], sandbox: true } } }, { servers: { a: { command: ['x'], read: '/opt' } } }, { tools: { 'a/b': { rate: '1' } } }, { tools: [] }, { scopes: {} },
  { operators: [{}] }, { operators: [{ name: 'a' }] }, { operators: [{ name: 'a', token: '0123456789abcdef' }] },
  { operators: [{ name: 'a', token: '${TOKEN}', role: 'root' }] }, { scopes: [{ add: ['x'], when: { hours: 'noon' } }] },
]

test('the schema is a valid JSON Schema and describes every key', { skip }, () => {
  const s = schema()
  assert.ok(new Ajv2020({ strict: true, strictTypes: false, strictRequired: false }).validateSchema(s))
  compiled()
  const undescribed = Object.entries(s.properties).filter(([, v]) => !v.description).map(([k]) => k)
  assert.deepEqual(undescribed, [])
})

test('what the parser takes, the schema takes', { skip }, () => {
  const validate = compiled()
  assert.deepEqual(verdicts(good).filter(Boolean), [])
  for (const c of good) assert.ok(validate(c), `${JSON.stringify(c)}: ${JSON.stringify(validate.errors)}`)
})

test('what the parser refuses, the schema refuses', { skip }, () => {
  const validate = compiled()
  const said = verdicts(bad)
  assert.deepEqual(bad.filter((c, i) => !said[i]), [])
  assert.deepEqual(bad.filter((c) => validate(c)), [])
})

test('examples/support/doorward.yaml fits the schema as it is in force', { skip }, () => {
  const { stdout, status } = judge.run(['file', join(TOP, 'examples/support/doorward.yaml')])
  assert.equal(status, 0, stdout)
  const validate = compiled()
  assert.ok(validate(JSON.parse(stdout)), JSON.stringify(validate.errors))
})

const odd = [null, true, 0, 1, -1, 64, 65, 1.5, 1e9, '', 'x', '0', '7', '007', '10m', '10', '2d', '1MiB', '65536', '5/minute', 'none', '0/minute',
  'http://a', 'http://', '127.0.0.1:1', '127.0.0.1:99999', '10.0.0.0/8', '10.0.0.1/8', '999.1.1.1', '22:00-06:00', '29:00-06:00', 'info',
  'EdDSA', 'full', '${TOKEN}', '${NOT_SET}', '${', 'file:', 'file:/none', [], ['x'], [1], [[]], {}, { x: 1 }, 'é', '[::1]:80']

// Every place in a value, as its parent and key.
function places(value, list = []) {
  for (const key of Object.keys(value)) {
    list.push([value, key])
    if (value[key] && typeof value[key] === 'object') places(value[key], list)
  }
  return list
}

function changed(pick) {
  const c = whole()
  for (let n = pick([1, 1, 1, 2, 3]); n > 0; n--) {
    const all = places(c)
    if (all.length === 0) return c
    const [parent, key] = pick(all)
    const how = pick(['value', 'value', 'value', 'remove', 'rename', 'add'])
    if (how === 'value') parent[key] = structuredClone(pick(odd))
    else if (Array.isArray(parent)) how === 'remove' ? parent.splice(Number(key), 1) : parent.push(structuredClone(pick(odd)))
    else if (how === 'add') parent[pick(['url', 'level', 'keep', 'zzz', 'limits', 'rate'])] = structuredClone(pick(odd))
    else {
      if (how === 'rename') parent[key + pick(['s', '_', 'x'])] = parent[key]
      delete parent[key]
    }
  }
  return c
}

test(`${cases} changed configurations are judged alike by parser and schema (seed ${seed})`, { skip }, () => {
  const { pick } = generator(seed)
  const list = Array.from({ length: cases }, () => changed(pick))
  const validate = compiled()
  const said = verdicts(list)
  const differing = list.flatMap((c, i) => {
    const fits = validate(c)
    if (fits === !said[i]) return []
    const faults = said[i].replace(/^invalid: /, '').split('|').filter(Boolean)
    if (fits && faults.every((f) => lenient.some((l) => l.test(f)))) return []
    return [{ parser: said[i] || 'valid', ajv: validate.errors, c }]
  })
  const taken = said.filter((s) => !s).length / cases
  assert.ok(taken > 0.1 && taken < 0.9, `a fair share of both verdicts, but ${taken} are valid`)
  assert.equal(differing.length, 0, differing.slice(0, 3).map((d) => JSON.stringify(d)).join('\n'))
})
