// A client that believes the document: every answer is held against what GET /v1/openapi.json says of its operation.
//
//   const rest = await openapi(gate)
//   const { status, headers, json } = await rest(token, 'GET', '/v1/tools')
//   rest.seen   ->   Set of 'tools_list 200', …
import Ajv2020 from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import assert from 'node:assert/strict'

export async function openapi(gate) {
  const document = await (await fetch(`${gate.url}/v1/openapi.json`)).json()
  const ajv = formats(new Ajv2020({ strict: false, allErrors: true }))
  ajv.addSchema({ $id: 'gate:', ...document })
  const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({
    method: method.toUpperCase(), path, pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`), ...operation })))

  function hold(operation, res, text) {
    const said = operation.responses[res.status]
    const where = `${operation.operationId} ${res.status} ${text.slice(0, 200)}`
    assert.ok(said, `not in the document: ${where}`)
    for (const name of Object.keys(said.headers ?? {}).filter((h) => h !== 'Retry-After'))
      assert.ok(res.headers.has(name), `the header ${name} is missing: ${where}`)
    if (!said.content) return assert.equal(text, '')
    const [[type, { schema }]] = Object.entries(said.content)
    assert.equal(res.headers.get('content-type'), type, where)
    const valid = ajv.getSchema(`gate:${schema.$ref}`)
    assert.ok(valid(JSON.parse(text)), `${ajv.errorsText(valid.errors)}: ${where}`)
  }

  const seen = new Set()
  async function rest(token, method, path, { body, headers = {}, signal } = {}) {
    const who = token ? { authorization: `Bearer ${token}` } : {}
    const type = body === undefined ? {} : { 'content-type': 'application/json' }
    const res = await fetch(gate.url + path, { method, headers: { ...who, ...type, ...headers }, signal,
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body) })
    const text = await res.text()
    const operation = operations.find((o) => o.method === method && o.pattern.test(path.split('?')[0]))
    if (operation) {
      hold(operation, res, text)
      seen.add(`${operation.operationId} ${res.status}`)
    }
    return { status: res.status, headers: res.headers, json: text && JSON.parse(text) }
  }
  return Object.assign(rest, { document, operations, seen })
}
