// Pictures of the console's main screens, for the documentation: node pictures.mjs DIR
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startHouse } from './lib/console.mjs'

const dir = process.argv[2], ORDERS = ['ORD-A1B2C3D4', 'ORD-00000001']
mkdirSync(dir, { recursive: true })
const house = await startHouse({ approval: { time_limit: '5m' } })
const agents = [house.agent, await house.gate.agent({ id: 'billing-7', type: 'billing', allow: ['desk/issue_refund', 'desk/lookup_order'] })]
const sessions = agents.map((a, i) => house.gate.open(a, '--user', ['usr_4711', 'usr_2035'][i], '--tier', 'enterprise'))
const ask = (i, tool, args, reasoning) => void house.ask(tool, args, { session: sessions[i], meta: reasoning && { 'dev.doorward/reasoning': reasoning } }).catch(() => {})
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

const anna = await house.person('anna', { width: 1200, height: 760 }), ben = await house.person('ben')
for (const orderId of ORDERS) await house.gate.call(sessions[0].access_token, 'desk__lookup_order', { orderId })
await house.gate.call(sessions[0].access_token, 'desk__create_ticket', { subject: 'Parcel arrived open, customer sends pictures', priority: 'high' })
await house.gate.call(sessions[0].access_token, 'desk__create_ticket', { subject: 'Wants another delivery slot' })
await house.gate.call(sessions[0].access_token, 'desk__lookup_order', { orderId: '1 OR 1=1' })
ask(0, 'issue_refund', { orderId: ORDERS[0], amount: 129.9 }, 'The parcel arrived open. The customer asks for the money back, and has been with us for six years.')
await house.question('129.9')
await pause(9000)
ask(0, 'check_shipping', { orderId: ORDERS[1] })
const shipping = await house.question('check_shipping')
await pause(4000)
ask(1, 'issue_refund', { orderId: ORDERS[1], amount: 12.5 })
await house.question('12.5')
await ben.look(shipping)
await ben.keys('a', 'Enter')
await ben.page.getByText('Another person has to say yes as well').waitFor()

const refund = await house.question('129.9')
const shoot = (name) => anna.page.screenshot({ path: join(dir, `${name}.png`) })
async function size(width, height, scheme) {
  await anna.page.setViewportSize({ width, height })
  await anna.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
}
const waiting = async () => {
  await anna.at('/')
  await anna.page.getByText('1 of 2 said yes').waitFor()
}

for (const scheme of ['light', 'dark']) {
  await size(1000, 420, scheme)
  await waiting()
  await anna.keys('j')
  await shoot(`inbox-${scheme}`)
}
await size(1200, 900, 'light')
await anna.look(refund)
await shoot('request')
await anna.keys('e')
await anna.page.getByRole('textbox', { name: /Arguments as JSON/ }).fill(`{\n  "amount": 60,\n  "orderId": "${ORDERS[0]}"\n}`)
await shoot('edit')
await anna.keys('Escape')
await size(390, 780, 'light')
await anna.look(refund)
await shoot('phone')
await size(1000, 520, 'light')
await anna.at('/reviews')
await anna.page.locator('.review').nth(1).waitFor()
await shoot('reviews')
await size(1200, 520, 'dark')
await anna.at('/activity')
await anna.page.locator('.entry').nth(5).waitFor()
await shoot('activity')
await house.stop()
process.exit()
