// kill -9 in the midst of calls: what a client was told has happened stays on record, and the gate starts clean. Two hundred of them,
// with figures: ./dev bench crash.
// areas: audit, daemon
import { after, before, test } from 'node:test'
import { hammer, killed } from './lib/crash.mjs'

let scene
before(async () => (scene = await hammer()))
after(() => scene?.stop())

test('five times killed under load, the gate has lost no acknowledged entry and starts clean', async () => {
  for (let i = 0; i < 5; i++) await killed(scene)
})
