// The console in a real browser, in front of a real gate: people with passkeys of their own, and calls that wait for them.
//
//   const house = await startHouse()
//   const anna = await house.person('anna')      signed in by a link, with a passkey
//   const answer = house.ask('issue_refund', {...})
//   await anna.open(await house.question())
import assert from 'node:assert/strict'
import { chromium } from 'playwright-core'
import { DESK, startGate, until } from '../../integration/lib/gate.mjs'
import { people } from '../../integration/lib/people.mjs'

export { until }
export const ORDER = 'ORD-A1B2C3D4'

const RISKS = { 'desk/issue_refund': { risk: 'high' }, 'desk/search_faq': { risk: 'high' }, 'desk/create_ticket': { risk: 'medium' },
                'desk/check_shipping': { risk: 'high', people: 2, approvers: ['payments'] } }
const TOOLS = ['lookup_order', 'check_shipping', 'search_faq', 'create_ticket', 'issue_refund'].map((t) => `desk/${t}`)
const PATIENCE = 30000 // ms: what nobody decided by then, a test has forgotten
const AUTHENTICATOR = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
                        isUserVerified: true, automaticPresenceSimulation: true }

export async function startHouse(config = {}) {
  const gate = await startGate({ servers: { desk: DESK }, session: { rate: '1000/second', max_tool_calls: 1000 },
                                 ...config, tools: { ...RISKS, ...config.tools } })
  const agent = await gate.agent({ id: 'support-eu-1', more: ['--max-sessions', '50'], allow: TOOLS })
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: process.getuid() === 0 ? ['--no-sandbox'] : [] })
  return new House(gate, agent, browser)
}

class House {
  constructor(gate, agent, browser) {
    Object.assign(this, { gate, agent, browser, who: people(gate), persons: [] })
    this.url = gate.admin.replace('127.0.0.1', 'localhost')
    this.session = this.open()
  }

  open(...args) {
    return this.gate.open(this.agent, '--user', 'usr_4711', ...args)
  }

  // A call as an agent makes it; what comes of it, however often its client has to come back.
  async ask(tool, args, { session = this.session, meta } = {}) {
    for (const signal = AbortSignal.timeout(PATIENCE); ;) {
      const { json, text } = await this.gate.call(session.access_token, `desk__${tool}`, args, { meta, signal })
      if (!/approval_pending|input_required/.test(JSON.stringify(json))) return JSON.stringify(json) ?? text
    }
  }

  question(words) {
    return this.who.question(words)
  }

  // The record's newest entry of what was decided about it.
  recorded(event, { id }) {
    return this.gate.recorded(event, (e) => e.event === event && e.details?.approval === id)
  }

  async link(name) {
    const { status, json } = await this.gate.operator('POST', `/people/${name}/link`, {})
    assert.ok(status < 300, JSON.stringify(json))
    return `${this.url}/sign-in#${/dwl_[\w-]+/.exec(JSON.stringify(json))[0]}`
  }

  // A window of its own, with an authenticator of its own that answers at once.
  async window({ scheme = 'light', width = 1280, height = 800 } = {}) {
    const context = await this.browser.newContext({ colorScheme: scheme, viewport: { width, height }, reducedMotion: 'reduce' })
    context.setDefaultTimeout(10000)
    const page = await context.newPage(), troubles = []
    page.on('console', (m) => m.type() === 'error' && !/status of 40[1-9]/.test(m.text()) && troubles.push(m.text()))
    page.on('pageerror', (e) => troubles.push(String(e.stack)))
    page.on('request', (r) => r.url().startsWith(this.url) || troubles.push(`asked another house: ${r.url()}`))
    await page.addInitScript(() => addEventListener('securitypolicyviolation', (e) => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI}`)))
    const devtools = await context.newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', { options: AUTHENTICATOR })
    const window = { context, page, troubles, devtools, authenticatorId }
    this.persons.push(window)
    return window
  }

  // Somebody who decides, signed in by a link and with a passkey.
  async person(name, { groups = ['payments'], role = 'approver', passkey = true, ...window } = {}) {
    const { status } = await this.gate.operator('POST', '/people', { name, groups, role })
    assert.ok(status === 201 || status === 409)
    const self = new Person(this, name, await this.window(window))
    await self.page.goto(await this.link(name))
    await self.page.getByRole('heading', { name, exact: true }).waitFor()
    if (passkey) await self.enrol('laptop')
    return self
  }

  async stop() {
    const troubles = this.persons.flatMap((p) => p.troubles)
    await this.browser.close()
    await this.gate.stop()
    assert.deepEqual(troubles, []) // no error, no violation of the policy, no request to anybody else
  }
}

class Person {
  constructor(house, name, window) {
    Object.assign(this, window, { house, name })
  }

  async enrol(key) {
    await this.page.getByLabel(/^Name/).fill(key)
    await this.page.getByRole('button', { name: 'Add a passkey' }).click()
    await this.page.locator('.passkey', { hasText: key }).waitFor()
  }

  at(path) {
    return this.page.goto(this.house.url + path)
  }

  async look({ id }) {
    await this.at(`/approvals/${id}`)
    await this.page.locator('[data-part="reasoning"]').waitFor()
  }

  keys = async (...keys) => {
    for (const k of keys) await this.page.keyboard.press(k)
  }

  verdict() {
    return this.page.locator('.verdict').innerText()
  }

  part(part) {
    return this.page.locator(`[data-part="${part}"]`)
  }
}
