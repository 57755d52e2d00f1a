// The "client" that the official suite judges: a gate of its own in front of the scenario's server, and an ordinary agent that
// asks through it for whatever it finds there. What the suite sees is the gate's face to servers.
//   MCP_CONFORMANCE_SCENARIO=NAME MCP_CONFORMANCE_PROTOCOL_VERSION=REVISION node mcp_client.mjs URL
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { startGate, until } from '../integration/lib/gate.mjs'

const url = process.argv.at(-1)
const scenario = process.env.MCP_CONFORMANCE_SCENARIO
const modern = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION === '2026-07-28'
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}')
const SERVER = 'suite'

// What the tools of the scenarios are called with; others with nothing.
const ARGUMENTS = {
  add_numbers: { a: 5, b: 3 },
  valid_tool: { region: 'us-west1' },
  lookup_user: { id: 'somebody' },
}
// The null stands for an argument that the tool declares to be a boolean: the gate refuses it before anything leaves, as it must.
// What is judged, that there is no header, holds as well for an argument that is not given.
const given = (args) => Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null))

const gate = await startGate({
  servers: { [SERVER]: { url, timeout: '10s' } },
  session: { max_tool_calls: 1000, rate: '100000/minute' },
  scopes: [{ when: { agent_type: 'suite' }, add: [`resources:read:server:${SERVER}`, `prompts:get:server:${SERVER}`] }],
})

// A tool that the gate refuses is not the agent's end: what counts is what the server saw.
async function callAll(client) {
  const { tools } = await client.listTools()
  const call = (name, args) => client.callTool({ name, arguments: args }).catch((e) => console.error(`${name}: ${e.message}`))
  for (const { name } of tools) {
    const wanted = context.toolCalls?.filter((c) => c.name === name).map((c) => given(c.arguments))
    if (wanted) for (const args of wanted) await call(name, args)
    else if (name === 'json_schema_echo') await call(name, { schema: tools.find((t) => t.name !== name).inputSchema })
    else await call(name, ARGUMENTS[name] ?? {})
  }
}

async function askAll(client) {
  const can = client.getServerCapabilities() ?? {}
  if (can.resources) for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri })
  if (can.prompts) for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name })
}

// An answer that asks for more is answered as it asks, and only that one.
async function rounds(token, name) {
  let more = {}
  for (let round = 0; round < 3; round++) {
    const { json } = await gate.modern(token, 'tools/call', { name, arguments: {}, ...more },
      { path: `/mcp/${SERVER}`, id: round + 1, meta: { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } } })
    if (json.result?.resultType !== 'input_required') return
    const yes = { action: 'accept', content: { confirmed: true } }
    more = { inputResponses: Object.fromEntries(Object.keys(json.result.inputRequests).map((key) => [key, yes])) }
    if (json.result.requestState !== undefined) more.requestState = json.result.requestState
  }
}

async function legacyClient(token) {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
  const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js')
  const client = new Client({ name: 'suite', version: '1.0.0' },
    { capabilities: { elicitation: { form: { applyDefaults: true } } } })
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: {} }))
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gate.url}/mcp/${SERVER}`),
    { requestInit: { headers: { authorization: `Bearer ${token}` } } }))
  return client
}

try {
  await until('the server to be up', () => gate.json(['status']).servers.every((s) => s.state === 'up'))
  const token = gate.token(await gate.agent({ type: 'suite', allow: gate.json(['tools', 'list']).tools.map((t) => t.id) }))
  if (scenario === 'sep-2322-client-request-state') {
    for (const name of ['test_mrtr_echo_state', 'test_mrtr_unrelated', 'test_mrtr_no_state', 'test_mrtr_no_result_type'])
      await rounds(token, name)
  } else {
    const client = modern ? await gate.modernClient(token, `/mcp/${SERVER}`) : await legacyClient(token)
    await callAll(client)
    await askAll(client)
    await client.close()
  }
} finally {
  await gate.stop()
}
