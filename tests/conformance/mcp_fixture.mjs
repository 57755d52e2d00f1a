// The server that the scenarios of the official MCP suite expect, made with @modelcontextprotocol/server. Over HTTP:
//   const fixture = await startFixture()
//   fixture.legacy, fixture.modern, fixture.both      URLs: 2025-11-25 with sessions, 2026-07-28 alone, both on one
//   fixture.stop()
// and over stdio: node mcp_fixture.mjs legacy|modern
import { createMcpHandler, fromJsonSchema, hostHeaderValidationResponse, isLegacyRequest, localhostAllowedHostnames,
         localhostAllowedOrigins, McpServer, originValidationResponse, ResourceTemplate,
         WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { EventStore } from './mcp_fixture_events.mjs'
import { inputPrompt, inputTools, states } from './mcp_fixture_input.mjs'
import { prompts, resources, templates, text, tools } from './mcp_fixture_offers.mjs'

const CAPABILITIES = {
  tools: { listChanged: true }, prompts: { listChanged: true }, resources: { subscribe: true }, completions: {}, logging: {},
}

class Fixture {
  connected = new Set() // servers that live longer than one request: those of legacy sessions and of stdio
  added = { tools: [], prompts: [] }

  // A thing more of `kind`; every client is told that the list has changed.
  grow(kind) {
    const name = `test_added_${kind.slice(0, -1)}_${this.added[kind].length + 1}`
    this.added[kind].push(name)
    for (const server of this.connected) this.addTo(server, kind, name) // the SDK tells its client
    this.modern.notify[`${kind}Changed`]()
    return name
  }

  addTo(server, kind, name) {
    if (kind === 'tools') server.registerTool(name, { description: 'Added later' }, () => ({ content: [text(name)] }))
    else server.registerPrompt(name, { description: 'Added later' }, () => ({ messages: [{ role: 'user', content: text(name) }] }))
  }

  build = () => {
    const server = new McpServer({ name: 'suite', version: '1.0.0' },
      { capabilities: CAPABILITIES, requestState: { verify: states.verify } })
    for (const [name, { inputSchema, does }] of Object.entries({ ...tools, ...inputTools })) {
      const answer = async (args, ctx) => {
        const result = await does(args, ctx, this)
        return Array.isArray(result) ? { content: result } : result
      }
      const takes = inputSchema && { inputSchema: fromJsonSchema(inputSchema) }
      server.registerTool(name, { description: `The suite's ${name}`, ...takes }, inputSchema ? answer : (ctx) => answer({}, ctx))
    }
    for (const [name, { argsSchema, does }] of Object.entries({ ...prompts, test_input_required_result_prompt: inputPrompt }))
      server.registerPrompt(name, { description: `The suite's ${name}`, ...(argsSchema && { argsSchema }) }, does)
    for (const [uri, { mimeType, ...holds }] of Object.entries(resources))
      server.registerResource(uri.slice('test://'.length), uri, { description: `The suite's ${uri}`, mimeType },
        () => ({ contents: [{ uri, mimeType, ...holds }] }))
    for (const [uri, { mimeType, read }] of Object.entries(templates))
      server.registerResource('template', new ResourceTemplate(uri, { list: undefined }),
        { description: 'The suite\'s template', mimeType },
        (url, variables) => ({ contents: [{ uri: url.href, mimeType, text: read(variables) }] }))
    for (const kind of ['tools', 'prompts']) for (const name of this.added[kind]) this.addTo(server, kind, name)
    // Subscriptions to one resource are requests of their own in the legacy era only; McpServer has none for them.
    for (const method of ['resources/subscribe', 'resources/unsubscribe']) server.server.setRequestHandler(method, () => ({}))
    return server
  }

  connect(transport) {
    const server = this.build()
    this.connected.add(server)
    server.server.onclose = () => this.connected.delete(server)
    return server.connect(transport)
  }

  modern = createMcpHandler(this.build, { legacy: 'reject' })
  sessions = new Map()

  // createMcpHandler serves the legacy era without sessions; questions in the middle of a call and GET streams need them.
  async legacy(request) {
    const id = request.headers.get('mcp-session-id')
    if (id) return this.sessions.get(id)?.handleRequest(request) ?? new Response(null, { status: 404 })
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID, eventStore: new EventStore(), retryInterval: 100,
      onsessioninitialized: (session) => void this.sessions.set(session, transport),
      onsessionclosed: (session) => void this.sessions.delete(session) })
    await this.connect(transport)
    return transport.handleRequest(request)
  }

  async answer(request) {
    const refused = hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
      originValidationResponse(request, localhostAllowedOrigins())
    if (refused) return refused
    const { pathname } = new URL(request.url)
    const legacy = pathname === '/legacy' || (pathname === '/both' && (await isLegacyRequest(request)))
    return legacy ? this.legacy(request) : this.modern.fetch(request)
  }
}

async function serve(fixture, req, res) {
  const chunks = []
  for await (const chunk of req) chunks.push(chunk)
  const left = new AbortController()
  res.on('close', () => left.abort())
  const headers = Object.entries(req.headersDistinct).flatMap(([name, values]) => values.map((value) => [name, value]))
  const answer = await fixture.answer(new Request(`http://${req.headers.host}${req.url}`, {
    method: req.method, headers, body: chunks.length ? Buffer.concat(chunks) : undefined, signal: left.signal }))
  res.writeHead(answer.status, [...answer.headers].flat())
  res.flushHeaders()
  try {
    if (answer.body) for await (const part of answer.body) res.write(part)
  } catch {} // the client has left
  res.end()
}

export async function startFixture() {
  const fixture = new Fixture()
  const server = createServer((req, res) => serve(fixture, req, res).catch((e) => res.destroy(e)))
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const at = (path) => `http://127.0.0.1:${server.address().port}/${path}`
  return {
    legacy: at('legacy'), modern: at('modern'), both: at('both'),
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function startStdio(era) {
  const { serveStdio, StdioServerTransport } = await import('@modelcontextprotocol/server/stdio')
  const fixture = new Fixture()
  if (era === 'legacy') return fixture.connect(new StdioServerTransport())
  serveStdio(() => {
    const server = fixture.build()
    fixture.connected.add(server)
    return server
  }, { legacy: 'reject' })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await startStdio(process.argv[2])
