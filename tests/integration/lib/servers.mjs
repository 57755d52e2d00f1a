// Servers behind the gate: the SDKs' and npm's over HTTP, as processes of the test; and raw ones inside it.
//
//   const legacy = await startServer('legacy_server.mjs')
//   const gate = await startGate({ servers: { legacy: { url: legacy.url } } })
//   ...
//   await legacy.stop()
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, npmServer, until } from './gate.mjs'

const here = dirname(fileURLToPath(import.meta.url))
export const MODERN_STDIO = { command: [process.execPath, join(here, 'modern_server.mjs'), 'stdio'] }
export const rude = (how, ...args) => ({ command: [process.execPath, join(here, 'rude_server.mjs'), how, ...args] })

async function serve(port, args, env = {}) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } })
  const kill = () => child.kill('SIGKILL')
  let log = ''
  child.stderr.on('data', (d) => (log += d))
  process.on('exit', kill)
  child.unref() // one that is left over does not keep the test running: it ends with it
  child.stderr.unref()
  const exited = new Promise((done) => child.on('exit', done))
  exited.then(() => process.off('exit', kill))
  await until('a server to listen', async () => {
    if (child.exitCode !== null) throw new Error(`it ended: ${log}`)
    return await fetch(`http://127.0.0.1:${port}/seen`).then((r) => r.text().then(() => true))
  })
  return {
    port, url: `http://127.0.0.1:${port}/mcp`,
    seen: async () => await (await fetch(`http://127.0.0.1:${port}/seen`)).json(),
    stop: async (signal = 'SIGKILL') => {
      child.kill(signal)
      await exited
    },
  }
}

// modern_server.mjs or legacy_server.mjs over HTTP.
export async function startServer(file, { port, mode = [] } = {}) {
  port ??= await freePort()
  return serve(port, [join(here, file), ...(file.startsWith('modern') ? ['http'] : []), String(port), ...mode])
}

// changing_server.mjs, modern or legacy, over HTTP; `poke` changes it from the outside.
export async function startChanging(era) {
  const port = await freePort()
  const server = await serve(port, [join(here, 'changing_server.mjs'), era, String(port)])
  return { ...server, poke: (what, argument) => fetch(`http://127.0.0.1:${port}/${what}?${encodeURIComponent(argument)}`) }
}
export const changing = (era) => ({ command: [process.execPath, join(here, 'changing_server.mjs'), `${era}-stdio`], isolation: 'gateway' })

export async function startEverything() {
  const port = await freePort()
  return serve(port, [...npmServer('server-everything').command.slice(1), 'streamableHttp'], { PORT: String(port) })
}

// A raw HTTP server of this process: `answer(message, req, res)` writes what it likes; everything is kept in `seen`.
export async function startRaw(answer) {
  const seen = []
  const server = createServer(async (req, res) => {
    const chunks = []
    for await (const c of req) chunks.push(c)
    const text = Buffer.concat(chunks).toString()
    const message = text ? JSON.parse(text) : undefined
    seen.push({ method: req.method, headers: req.headers, text, message })
    await answer(message, req, res)
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  server.unref()
  return {
    port, seen, url: `http://127.0.0.1:${port}/mcp`,
    stop: () => new Promise((done) => {
      server.close(done)
      server.closeAllConnections()
    }),
  }
}

export const json = (res, message, status = 200, headers = {}) =>
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ jsonrpc: '2.0', ...message }))

// What a modern server answers to everything but tools/call.
export function modernBasics(tools, { id, method }) {
  const listed = tools.map((t) => ({ name: t, inputSchema: { type: 'object' } }))
  if (method === 'server/discover')
    return { id, result: { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } } }
  if (method === 'tools/list') return { id, result: { resultType: 'complete', tools: listed, ttlMs: 1000, cacheScope: 'private' } }
  return { id, error: { code: -32601, message: 'Method not found' } }
}

// asking_server.mjs, modern or legacy: over HTTP, or over stdio.
export async function startAsking(era) {
  const port = await freePort()
  return serve(port, [join(here, 'asking_server.mjs'), era, String(port)])
}
export const asking = (era) => ({ command: [process.execPath, join(here, 'asking_server.mjs'), `${era}-stdio`] })

// whole_server.mjs, modern or legacy, over HTTP.
export async function startWhole(era) {
  const port = await freePort()
  return serve(port, [join(here, 'whole_server.mjs'), era, String(port)])
}
