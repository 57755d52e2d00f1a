// MCP servers of the SDKs over HTTP, of either era, for servers that look at each request first: functions of (req, res, body).
import { randomUUID } from 'node:crypto'

// handler: what createMcpHandler made. A client that leaves is told to the server.
export const answerModern = (handler, port) => async (req, res, body) => {
  const abort = new AbortController()
  res.on('close', () => abort.abort())
  const answer = await handler.fetch(new Request(`http://127.0.0.1:${port}${req.url}`, {
    method: req.method, headers: req.headers, body: body && JSON.stringify(body), signal: abort.signal }))
  res.writeHead(answer.status, Object.fromEntries(answer.headers))
  res.flushHeaders()
  try {
    if (answer.body) for await (const part of answer.body) res.write(part)
  } catch {} // the client has left
  res.end()
}

// connect(transport): a server for a new protocol session.
export async function answerLegacy(connect) {
  const { StreamableHTTPServerTransport } = await import('@modelcontextprotocol/sdk/server/streamableHttp.js')
  const sessions = new Map()
  return async (req, res, body) => {
    const id = req.headers['mcp-session-id']
    if (id && !sessions.has(id)) return res.writeHead(404).end()
    let transport = sessions.get(id)
    if (!transport) {
      transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(), onsessioninitialized: (id) => sessions.set(id, transport), onsessionclosed: (id) => sessions.delete(id) })
      await connect(transport)
    }
    await transport.handleRequest(req, res, body)
  }
}

export async function bodyOf(req) {
  const chunks = []
  for await (const c of req) chunks.push(c)
  return chunks.length ? JSON.parse(Buffer.concat(chunks)) : undefined
}
