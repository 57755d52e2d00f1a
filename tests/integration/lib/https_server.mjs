// An MCP server of the SDK behind node's https, in this process; it says how its connections came about.
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { createServer } from 'node:https'
import { z } from 'zod'

function build() {
  const server = new McpServer({ name: 'https-fixture', version: '1.0.0' }, { capabilities: { tools: {} } })
  server.registerTool('echo', { description: 'Says it back', inputSchema: z.object({ text: z.string() }) },
    async ({ text }) => ({ content: [{ type: 'text', text }] }))
  return server
}

export async function startHttps(options) {
  const handler = createMcpHandler(build)
  const connections = []
  const open = new Set()
  const server = createServer(options, async (req, res) => {
    const chunks = []
    for await (const c of req) chunks.push(c)
    const body = Buffer.concat(chunks)
    const answer = await handler.fetch(new Request(`https://localhost${req.url}`, {
      method: req.method, headers: req.headers, body: body.length ? body : undefined }))
    res.writeHead(answer.status, Object.fromEntries(answer.headers))
    if (answer.body) for await (const part of answer.body) res.write(part)
    res.end()
  })
  server.on('secureConnection', (socket) => {
    connections.push({ resumed: socket.isSessionReused(), protocol: socket.getProtocol(), alpn: socket.alpnProtocol,
                       name: socket.servername, peer: socket.getPeerCertificate()?.subject?.CN })
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: server.address().port, connections,
    hangUp: () => open.forEach((socket) => socket.end()),
    close: () => { open.forEach((socket) => socket.destroy()); server.close() },
  }
}
