// The client scenarios of the official suite, against the gate's face to servers: the suite plays the server and judges what the
// gate sends (mcp_client.mjs is the client that it starts).
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

// What cannot be asked of the face to servers, with the reason.
const LEFT_OUT = [[/^auth\//, 'OAuth towards servers: the gate holds no grants at servers yet']]

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

// Hands the checks of each scenario, required or only run, to `judged(name, checks, out)`. Returns a Map: reason -> names without.
export async function runClientScenarios(run, revision, required, results, judged) {
  const names = [...required.client, ...required.notScored.filter((s) => s.leg === 'client').map((s) => s.name)]
  const leftOut = new Map()
  const waiting = []
  for (const name of names) {
    const [, reason] = LEFT_OUT.find(([pattern]) => pattern.test(name)) ?? []
    if (reason) leftOut.set(reason, [...(leftOut.get(reason) ?? []), name])
    else waiting.push(name)
  }
  const next = async () => {
    for (let name; (name = waiting.shift());) {
      const { checks, out } = await checksOf(run, revision, name, results)
      judged(name, checks, out)
    }
  }
  await Promise.all([next(), next()])
  return leftOut
}
