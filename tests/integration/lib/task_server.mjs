// The tools that the official suite's scenarios for tasks want, as a modern server of this process:
//   const server = await startTaskServer(); server.url; await server.stop()
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMcpHandler, inputRequired, McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { answerModern, bodyOf } from './sdk_http.mjs'

const text = (words, more) => ({ content: [{ type: 'text', text: words }], ...more })
const form = (message, name, type) => ({ method: 'elicitation/create', params: {
  mode: 'form', message, requestedSchema: { type: 'object', properties: { [name]: { type } }, required: [name] } } })
const loose = z.object({}).loose()

function build() {
  const server = new McpServer({ name: 'jobs', version: '1.0.0' }, { capabilities: { tools: {} } })
  const tool = (name, inputSchema, run) => server.registerTool(name, { description: name, inputSchema }, run)
  tool('greet', z.object({ name: z.string().optional() }).loose(), ({ name }) => text(`Hello, ${name ?? 'you'}!`))
  tool('slow_compute', z.object({ seconds: z.number(), label: z.string().optional() }).loose(), async ({ seconds, label }, ctx) => {
    await sleep(seconds * 1000, undefined, { signal: ctx.mcpReq.signal })
    return text(`computed ${label ?? ''}`)
  })
  tool('failing_job', loose, async () => {
    await sleep(200)
    return text('the job failed', { isError: true })
  })
  tool('confirm_delete', loose, (_, ctx) =>
    ctx.mcpReq.inputResponses ? text(`deleted: ${JSON.stringify(ctx.mcpReq.inputResponses)}`)
                              : inputRequired({ inputRequests: { confirm: form('Really?', 'confirm', 'boolean') } }))
  tool('multi_input', loose, (_, ctx) =>
    ctx.mcpReq.inputResponses ? text(`both: ${JSON.stringify(ctx.mcpReq.inputResponses)}`)
                              : inputRequired({ inputRequests: { name: form('Name?', 'name', 'string'), age: form('Age?', 'age', 'number') } }))
  tool('protocol_error_job', loose, () => text('answered before'))
  return server
}

export async function startTaskServer() {
  const server = createServer()
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address()
  const answer = answerModern(createMcpHandler(build), port)
  server.on('request', async (req, res) => {
    const body = await bodyOf(req)
    if (body?.method === 'tools/call' && body.params.name === 'protocol_error_job') // an error of the protocol, not of the tool
      return res.writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: body.id, error: { code: -32603, message: 'the job panicked' } }))
    await answer(req, res, body)
  })
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    stop: () => new Promise((done) => {
      server.close(done)
      server.closeAllConnections()
    }),
  }
}
