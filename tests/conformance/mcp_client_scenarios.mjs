// The client scenarios of the official suite, against the gate's face to servers: the suite plays the server and judges what the
// gate sends (mcp_client.mjs is the client that it starts).
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

// What cannot be asked of the face to servers, with the reason.
const LEFT_OUT = [[/^auth\//, 'OAuth towards servers: the gate holds no grants at servers yet']]
// "  - tools_call [2025-06-18,2025-11-25,2026-07-28]"
async function scenariosOf(run, revision) {
  const { out } = await run(['list', '--client'])
  return [...out.matchAll(/^ {2}- (\S+) \[([^\]]*)\]/gm)].filter((m) => m[2].split(',').includes(revision)).map((m) => m[1])
}

async function checksOf(run, revision, name, results) {
  const dir = join(results, `client-${revision}-${name}`)
  const { out } = await run(['client', '--command', `${process.execPath} ${join(here, 'mcp_client.mjs')}`, '--scenario', name,
                             '--spec-version', revision, '--timeout', '60000', '-o', dir])
  try {
    return { checks: JSON.parse(readFileSync(join(dir, readdirSync(dir)[0], 'checks.json'), 'utf8')), out }
  } catch {
    return { checks: [], out }
  }
}

// Hands each scenario's checks to `judged(name, checks, out)`, or says with `leftOut(reason, name)` why there are none.
export async function runClientScenarios(run, revision, results, { judged, leftOut }) {
  const names = await scenariosOf(run, revision)
  const waiting = []
  for (const name of names) {
    const [, reason] = LEFT_OUT.find(([pattern]) => pattern.test(name)) ?? []
    if (reason) leftOut(reason, name)
    else waiting.push(name)
  }
  const next = async () => {
    for (let name; (name = waiting.shift());) {
      const { checks, out } = await checksOf(run, revision, name, results)
      judged(name, checks, out)
    }
  }
  await Promise.all([next(), next()])
}
