// The command line as a person and a script meet it: help, exit codes, JSON, keys, and text of strangers on the screen.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DESK, DOORWARD, freePort, npmServer, startGate, until } from './lib/gate.mjs'

const EVERYTHING = 'everything'
const WHO = ['--type', 't', '--version', '1', '--owner', 'o', '--env', 'staging']
let gate, agent, token, dir

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'doorward-cli-'))
  gate = await startGate({ servers: { desk: DESK, [EVERYTHING]: npmServer('server-everything', 'stdio') } })
  agent = await gate.agent({ allow: ['desk/lookup_order', 'desk/search_faq', `${EVERYTHING}/echo`,
                                     `${EVERYTHING}/get-tiny-image`, `${EVERYTHING}/get-sum`],
                             more: ['--max-sessions', '100'] })
  token = gate.token(agent)
})
after(async () => {
  rmSync(dir, { recursive: true, force: true })
  await gate?.stop()
})

// Alone, without the gate's configuration and without the environment of whoever runs the tests.
function run(args, { input, env = {} } = {}) {
  return spawnSync(DOORWARD, args,
    { encoding: 'utf8', input, cwd: dir, timeout: 30000, env: { PATH: process.env.PATH, ...env } })
}

const call = (...args) => gate.cli(['call', '--url', gate.url, '--token', token, ...args], { ok: false })

const commands = () => [...run(['man']).stdout.matchAll(/^\.SS doorward (.*)$/gm)]
  .map(([, line]) => line.replaceAll('\\-', '-').split(' ').filter((w) => /^[a-z]+(-[a-z]+)*$/.test(w)))

test('every command explains itself, and the overview names it', () => {
  const overview = run([]).stdout
  assert.equal(run(['--help']).stdout, overview)
  assert.ok(commands().length > 30, 'the man page lists the commands')
  for (const words of commands()) {
    const r = run([...words, '--help'])
    assert.equal(r.status, 0, words.join(' '))
    assert.ok(r.stdout.startsWith(`doorward ${words.join(' ')}`), r.stdout)
    assert.equal(run(['help', ...words]).stdout, r.stdout)
    assert.match(overview, new RegExp(`^  ${words.join(' ')}( |$)`, 'm'))
  }
})

test('no line of the help is wider than 100 columns', () => {
  for (const words of [[], ...commands()])
    for (const line of run([...words, '--help']).stdout.split('\n'))
      assert.ok(line.length <= 100, `${words.join(' ')}: ${line}`)
})

test('the man page has its parts and troff has nothing to say about it', () => {
  const page = run(['man']).stdout
  for (const part of ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'COMMANDS', 'EXIT STATUS', 'ENVIRONMENT', 'FILES', 'EXAMPLES'])
    assert.match(page, new RegExp(`^\\.SH ${part}$`, 'm'))
  for (const line of page.split('\n'))
    assert.ok(!line.startsWith('.') || /^\.(TH|SH|SS|TP|PP|B|I|nf|fi)( |$)/.test(line), `an unknown request: ${line}`)
  const r = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z'], { input: page, encoding: 'utf8' })
  if (!r.error) assert.equal(r.stderr, '')
})

test('bash takes the completions and they complete', () => {
  const script = run(['completion', 'bash']).stdout
  const syntax = spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' })
  assert.equal(syntax.status, 0, syntax.stderr)
  const complete = (...words) => spawnSync('bash', ['-c', `${script}
    COMP_WORDS=(doorward "$@"); COMP_CWORD=$#; _doorward; printf '%s\\n' "\${COMPREPLY[@]}"`, 'bash', ...words],
    { encoding: 'utf8' }).stdout.trim().split('\n')
  assert.deepEqual(complete('se'), ['serve', 'session'])
  assert.deepEqual(complete('agent', 'r'), ['rotate'])
  assert.deepEqual(complete('agent', 'create', '--ow'), ['--owner'])
  assert.deepEqual(complete('completion', ''), ['bash', 'zsh', 'fish'])
  assert.deepEqual(complete('status', '--re'), ['--ready'])
})

test('zsh and fish take the completions, where they are installed', () => {
  for (const shell of ['zsh', 'fish']) {
    const script = run(['completion', shell]).stdout
    assert.match(script, /key-file/)
    assert.equal((script.match(/(?<!\\)'/g) ?? []).length % 2, 0, 'quotes come in pairs')
    const r = spawnSync(shell, ['-n', '/dev/stdin'], { input: script, encoding: 'utf8' })
    if (!r.error) assert.equal(r.status, 0, r.stderr)
  }
})

test('what was mistyped ends with 2 and says what would be right', () => {
  for (const [args, says] of [
    [['agent', 'create', '--ownr', 'x'], 'doorward: agent create: there is no option --ownr; did you mean --owner?'],
    [['stauts'], 'doorward: there is no command stauts; did you mean status?'],
    [['agent', 'create', '-c', gate.file, '--type', 't'], 'doorward: agent create: --version VERSION must be given'],
    [['agent', 'create', '-c', gate.file, ...WHO, '--expires', 'soon'],
      'doorward: agent create: --expires must be a duration such as 30d, or a date such as 2026-12-24T18:00:00Z'],
    [['call', '--token', 't', 'desk/x', '[1]'],
      `doorward: call: the arguments must be a JSON object such as '{"orderId":"A-1"}', but are an array`],
    [['completion', 'tcsh'], 'doorward: completion: SHELL must be bash, zsh or fish, not tcsh'],
  ]) {
    const r = run(args)
    assert.equal(r.status, 2, args.join(' '))
    assert.equal(r.stderr.trim(), says)
    assert.equal(r.stdout, '')
  }
})

test('when nobody answers, the command ends with 5 and says how to start the gateway', async () => {
  const port = await freePort()
  const file = join(dir, 'quiet.yaml')
  writeFileSync(file, JSON.stringify({ admin: { listen: `127.0.0.1:${port}` }, data_dir: join(gate.dir, 'data') }))
  const status = run(['status', '-c', file])
  assert.equal(status.status, 5)
  assert.match(status.stderr, new RegExp(`^doorward: status: nobody answers at http://127.0.0.1:${port} `))
  assert.match(status.stderr, new RegExp(`: is the gateway running\\? doorward serve -c ${file}$`, 'm'))
  const quiet = run(['status', '-c', file, '--ready'])
  assert.deepEqual([quiet.status, quiet.stdout, quiet.stderr], [5, '', ''])
  assert.equal(run(['call', '--url', `http://127.0.0.1:${port}`, '--token', 't', 'desk/x']).status, 5)
  assert.equal(run(['token', '--url', `http://127.0.0.1:${port}`, '--agent', agent.id, '--key', agent.key]).status, 5)
})

// A server of somebody else's, while the command runs. Hands back what was asked of it and what the command said.
async function against(answer, args) {
  const asked = []
  const server = createHttpServer((req, res) => {
    asked.push(`${req.method} ${req.url}`)
    res.end(answer(req))
  }).listen(0, '::')
  await new Promise((done) => server.on('listening', done))
  const child = spawn(DOORWARD, args(server.address().port))
  let said = ''
  child.stderr.on('data', (d) => (said += d))
  const status = await new Promise((done) => child.on('close', done))
  server.close()
  return { status, said, asked }
}

test('a server that is no Doorward is told apart', async () => {
  const { status, said } = await against(() => '<html>hello</html>',
    (port) => ['status', '-c', gate.file, '--admin', `http://127.0.0.1:${port}`])
  assert.equal(status, 1)
  assert.match(said, /answered with status 200 and no JSON: is that Doorward\?/)
})

test('an assertion for one gateway is not handed to a server that only says it is that gateway', async () => {
  const metadata = { resource: `${gate.url}/mcp`, authorization_servers: [gate.url], issuer: gate.url,
                     token_endpoint: `${gate.url}/oauth/token` }
  const { status, said, asked } = await against(() => JSON.stringify(metadata), // a name that is not of this machine
    (port) => ['token', '--url', `http://[::ffff:127.0.0.1]:${port}`, '--agent', agent.id, '--key', agent.key])
  assert.equal(status, 3)
  assert.match(said, /calls itself .*: give the URL that it knows itself by/)
  assert.deepEqual(asked, ['GET /.well-known/oauth-protected-resource/mcp'])
})

test('a refused call ends with 3 and says the reason and the stable code', () => {
  for (const [args, code] of [
    [['desk/issue_refund', '{"orderId":"ORD-A1B2C3D4","amount":1}'], /insufficient_scope|tool_denied/],
    [['desk/lookup_order', '{"orderId":"1 OR 1=1"}'], /schema_mismatch/],
  ]) {
    const r = call(...args)
    assert.equal(r.status, 3, r.stderr)
    assert.match(r.stderr, /^doorward: call: refused \(/)
    assert.match(r.stderr, code)
    assert.equal(r.stdout, '')
  }
  const stranger = run(['call', '--url', gate.url, '--token', 'x.y.z', 'desk/search_faq', '{"query":"a"}'])
  assert.equal(stranger.status, 3)
  assert.match(stranger.stderr, /refused \((invalid_token|unauthenticated)\)/)
})

test('what fails without being refused ends with 1', () => {
  const failed = call('desk/lookup_order', '{"orderId":"ORD-00000000"}')
  assert.equal(failed.status, 1)
  assert.match(failed.stdout, /ORD-00000000/, 'what the tool says of it')
  assert.equal(failed.stderr.trim(), 'doorward: call: the tool says that it failed')
  const bad = gate.cli(['agent', 'show', '-c', gate.file, 'nobody'], { ok: false })
  assert.equal(bad.status, 1)
  assert.equal(bad.stderr.trim(), 'doorward: agent show: there is no agent nobody')
})

test('a call prints the text, names what is no text, and --json prints all of it', () => {
  assert.equal(call(`${EVERYTHING}/echo`, '{"message":"zwölf"}').stdout, 'Echo: zwölf\n')
  assert.equal(call(`${EVERYTHING}__echo`, '{"message":"same"}').stdout, 'Echo: same\n')
  assert.equal(call('--server', EVERYTHING, 'echo', '{"message":"same"}').stdout, 'Echo: same\n')
  assert.match(call(`${EVERYTHING}/get-tiny-image`).stdout, /^\[image image\/png; --json shows it\]$/m)
  const json = JSON.parse(call('--json', `${EVERYTHING}/get-sum`, '{"a":2,"b":40}').stdout)
  assert.match(json.content[0].text, /42/)
  const asAgent = ['--url', gate.url, '--agent', agent.id, '--key', agent.key]
  const piped = gate.cli(['call', ...asAgent, `${EVERYTHING}/echo`, '-'],
    { input: '{"message":"from standard input"}' })
  assert.equal(piped.stdout, 'Echo: from standard input\n')
})

test('what a tool says cannot steer the terminal', () => {
  const r = call(`${EVERYTHING}/echo`, JSON.stringify({ message: 'a\u001b[2Jb\u009b31m\u202etxt\nline' }))
  assert.equal(r.stdout, 'Echo: a\\x1b[2Jb\\u{9b}31m\\u{202e}txt\nline\n')
  const raw = call('--json', `${EVERYTHING}/echo`, JSON.stringify({ message: 'a\u001b\u007f\u009bb' })).stdout
  assert.doesNotMatch(raw, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  assert.equal(JSON.parse(raw).content[0].text, 'Echo: a\u001b\u007f\u009bb')
})

test('what an agent sends cannot steer the terminal of who reads the record', () => {
  call('desk/search_faq', JSON.stringify({ query: '\u001b]0;owned\u0007\u009b2J' }))
  const tail = gate.cli(['audit', 'tail', '-c', gate.file]).stdout
  assert.match(tail, /owned/)
  assert.doesNotMatch(tail, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
})

test('--json parses everywhere, and audit tail prints an object a line', () => {
  const open = gate.json(['session', 'open', '--agent', agent.id, '--user', 'alice', '--tier', 'standard'])
  assert.ok(open.sessionId && open.access_token)
  assert.ok(gate.json(['status']).ready)
  assert.ok(gate.json(['agent', 'list']).agents.some((a) => a.agentId === agent.id))
  assert.equal(gate.json(['agent', 'show', agent.id]).agentId, agent.id)
  assert.ok(gate.json(['session', 'list']).sessions.some((s) => s.user === 'alice'))
  assert.equal(gate.json(['session', 'show', open.sessionId]).sessionId, open.sessionId)
  assert.equal(gate.json(['session', 'end', open.sessionId, '--reason', 'test']).ended, open.sessionId)
  const { tools } = gate.json(['tools', 'list', '--server', 'desk'])
  assert.ok(tools.length > 1 && tools.every((t) => t.server === 'desk'))
  assert.equal(gate.json(['config', 'check']).ok, true)
  assert.equal(gate.json(['reload']).reloaded, true)
  assert.equal(JSON.parse(gate.cli(['config', 'show', '-c', gate.file]).stdout).listen, `127.0.0.1:${gate.port}`)
  assert.equal(gate.json(['audit', 'verify']).ok, true)
  assert.equal(gate.json(['audit', 'show', '1']).seq, 1)
  const issued = gate.cli(['token', '--url', gate.url, '--agent', agent.id, '--key', agent.key, '--json'])
  assert.equal(JSON.parse(issued.stdout).token_type, 'Bearer')
  const tail = gate.cli(['audit', 'tail', '-c', gate.file, '-n', '5', '--json'])
  const lines = tail.stdout.trim().split('\n').map((line) => JSON.parse(line))
  assert.equal(lines.length, 5)
  for (let i = 1; i < 5; i++) assert.equal(lines[i].seq, lines[i - 1].seq + 1)
})

test('token prints the token and nothing else; --header is ready for a client', () => {
  const args = ['token', '--url', gate.url, '--agent', agent.id, '--key', agent.key]
  assert.match(gate.cli(args).stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
  assert.match(JSON.parse(gate.cli([...args, '--header']).stdout).Authorization, /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)
  const only = gate.cli(['session', 'open', '-c', gate.file, '--agent', agent.id, '--token-only']).stdout
  assert.match(only, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
})

test('a key file is for its owner alone, and is never overwritten', () => {
  assert.equal(statSync(agent.key).mode & 0o777, 0o600)
  const before = readFileSync(agent.key, 'utf8')
  const again = gate.cli(['agent', 'keygen', '--key-file', agent.key], { ok: false })
  assert.equal(again.status, 1)
  assert.match(again.stderr, /is there already, and a key is never overwritten/)
  assert.equal(readFileSync(agent.key, 'utf8'), before)
})

test('a key that others may read opens no session', () => {
  const loose = join(dir, 'loose.jwk')
  writeFileSync(loose, readFileSync(agent.key), { mode: 0o644 })
  const r = gate.cli(['token', '--url', gate.url, '--agent', agent.id, '--key', loose], { ok: false })
  assert.equal(r.status, 1)
  assert.match(r.stderr, /others may read or write this secret.*chmod 600/)
})

test('a key whose agent was refused is not left behind', () => {
  const file = join(dir, 'refused.jwk')
  const r = gate.cli(['agent', 'create', '-c', gate.file, '--id', agent.id, ...WHO, '--generate',
                      '--key-file', file], { ok: false })
  assert.equal(r.status, 1)
  assert.match(r.stderr, /^doorward: agent create: /)
  assert.equal(existsSync(file), false)
})

test('without a key file the private key is printed once, and opens sessions', () => {
  const made = gate.json(['agent', 'create', '--id', 'printed', ...WHO, '--generate', '--alg', 'ES256'])
  assert.equal(made.privateKey.crv, 'P-256')
  assert.equal(JSON.stringify(gate.json(['agent', 'show', 'printed'])).includes(made.privateKey.d), false)
  const file = join(dir, 'printed.jwk')
  writeFileSync(file, JSON.stringify(made.privateKey), { mode: 0o600 })
  assert.ok(gate.token({ id: 'printed', key: file }))
  const human = gate.cli(['agent', 'create', '-c', gate.file, ...WHO, '--generate'])
  assert.equal(human.stdout.match(/"d":/g).length, 1)
  assert.doesNotMatch(human.stderr, /"d":/)
})

test('a private key does not leave its side, even when it is given by mistake', () => {
  const r = gate.cli(['agent', 'create', '-c', gate.file, ...WHO, '--public-key', agent.key], { ok: false })
  assert.equal(r.status, 1)
  assert.match(r.stderr, /this is a private key: it stays where it is/)
})

test('keygen, then registering the public half, then rotating', () => {
  const key = join(dir, 'own.jwk')
  const jwk = gate.cli(['agent', 'keygen', '--key-file', key]).stdout
  assert.equal(JSON.parse(jwk).d, undefined)
  gate.cli(['agent', 'create', '-c', gate.file, '--id', 'own', ...WHO, '--public-key', '-'], { input: jwk })
  assert.ok(gate.token({ id: 'own', key }))
  const next = join(dir, 'own2.jwk')
  gate.cli(['agent', 'rotate', '-c', gate.file, 'own', '--overlap', '0s', '--generate', '--key-file', next])
  assert.ok(gate.token({ id: 'own', key: next }))
  assert.equal(gate.cli(['token', '--url', gate.url, '--agent', 'own', '--key', key], { ok: false }).status, 3)
})

test('config check prints all faults, each with file, line and column', () => {
  const file = join(dir, 'faulty.yaml')
  writeFileSync(file, 'listen: nowhere\ntoken:\n  lifetim: 15m\nworkers: 0\n')
  const r = run(['config', 'check', '-c', file])
  assert.equal(r.status, 1)
  const places = r.stdout.trim().split('\n').map((line) => line.match(/^(.*):(\d+):(\d+): /)?.slice(1, 4))
  assert.deepEqual(places.map(([name, line]) => [name, line]).sort(), [[file, '1'], [file, '3'], [file, '4']])
  assert.match(r.stderr, /has 3 faults/)
  const json = run(['config', 'check', '-c', file, '--json'])
  assert.equal(json.status, 1)
  assert.equal(JSON.parse(json.stdout).faults.length, 3)
})

test('without a configuration a command says where one is looked for', () => {
  const r = run(['status'])
  assert.equal(r.status, 1)
  assert.match(r.stderr, /give --config FILE, set DOORWARD_CONFIG, or put doorward\.yaml here/)
  assert.match(r.stderr, /--admin URL and --admin-token-file FILE/)
  const env = run(['status', '--json'], { env: { DOORWARD_CONFIG: gate.file } })
  assert.equal(JSON.parse(env.stdout).ready, true)
  const file = join(gate.dir, 'data/operator.token')
  const direct = run(['status', '--json', '--admin', gate.admin, '--admin-token-file', file])
  assert.equal(JSON.parse(direct.stdout).ready, true)
})

test('calls with a key leave no session behind', async () => {
  const one = await gate.agent({ allow: ['desk/search_faq'], more: ['--max-sessions', '1'] })
  for (let i = 0; i < 3; i++) {
    const r = run(['call', '--url', gate.url, '--agent', one.id, '--key', one.key, 'desk/search_faq', '{"query":"return"}'])
    assert.equal(r.status, 0, r.stderr)
  }
})

test('audit tail finds the newest of one agent or event, and follows', async () => {
  call('desk/issue_refund', '{}') // its entry is written when the answer is on its way already
  await until('the newest refusal', () => {
    const newest = gate.cli(['audit', 'tail', '-c', gate.file, '-n', '1', '--event', 'TOOL_DENIED', '--json']).stdout
    return JSON.parse(newest).toolName === 'desk/issue_refund'
  })
  assert.equal(gate.cli(['audit', 'tail', '-c', gate.file, '--agent', 'nobody']).stdout, '')
  const child = spawn(DOORWARD, ['audit', 'tail', '-f', '-n', '1', '-c', gate.file, '-e', 'TOOL_RESULT', '--json'])
  let seen = ''
  child.stdout.on('data', (d) => (seen += d))
  try {
    await until('the entry that is there', () => seen.includes('\n'))
    call('desk/search_faq', '{"query":"followed"}')
    await until('the entry that comes', () => seen.trim().split('\n').length === 2)
    assert.equal(JSON.parse(seen.trim().split('\n')[1]).toolName, 'desk/search_faq')
  } finally {
    child.kill()
  }
})

test('a record that was changed ends audit verify with 4 and names the place', () => {
  const copy = join(dir, 'audit')
  cpSync(join(gate.dir, 'data/audit'), copy, { recursive: true })
  assert.equal(run(['audit', 'verify', '--dir', copy]).status, 0)
  const segment = join(copy, '00000000000000000001.seg')
  const bytes = readFileSync(segment)
  const at = bytes.indexOf('"agentId":"') + 12
  bytes[at] ^= 1
  writeFileSync(segment, bytes)
  const r = run(['audit', 'verify', '--dir', copy])
  assert.equal(r.status, 4)
  assert.match(r.stderr, /^doorward: audit verify: .*segment 00000000000000000001, offset \d+/)
  assert.equal(JSON.parse(run(['audit', 'verify', '--dir', copy, '--json']).stdout).ok, false)
})

test('an output that cannot be written is no success', () => {
  const r = spawnSync('bash', ['-c', `"${DOORWARD}" man >/dev/full`], { encoding: 'utf8' })
  assert.equal(r.status, 1)
  assert.match(r.stderr, /standard output: No space left on device/)
})
