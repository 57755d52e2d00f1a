// ./dev bench crash [N]: kill -9, N times (500), in the midst of calls, on one and the same data directory. After each: the gate starts
// clean, `doorward audit verify` finds nothing, and each call whose answer a client had in hand has its intent on record, just as the
// receipt in that answer says. It fails at the first that is lost.
import { hammer, killed } from '../integration/lib/crash.mjs'

const count = Number(process.argv[2] ?? 500)
const scene = await hammer()
const start = Date.now()
let told = start
try {
  for (let i = 1; i <= count; i++) {
    await killed(scene)
    if (Date.now() - told > 10000 || i === count) {
      told = Date.now()
      const s = scene.sum
      console.log(`${String(Math.round((told - start) / 1000)).padStart(5)} s  ${i} kills, ${s.answered} answers in hand, ${s.lost} lost, ` +
        `${s.entries} entries on record, ${s.torn} with a torn tail, ready again after ${Math.round(s.readyMs / i)} ms (at most ${s.worstMs} ms)`)
    }
  }
  console.log(`${count} kills: ${scene.sum.lost} acknowledged entries lost, ${count} clean starts, ${count} records verified`)
} finally {
  await scene.stop()
}
