// What journeys share: people with a browser each, pictures, and checks.
import { chromium } from 'playwright-core'
import { readFileSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'

export const base = process.env.BASE
export const control = process.env.CONTROL // the test's side door: hours, restart
export const shots = process.env.SHOTS
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
export const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] })
export const faults = []
export const ok = (cond, what) => { if (!cond) throw new Error(what) }

export async function person(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, bypassCSP: false, ...options })
  const page = await context.newPage()
  page.on('pageerror', e => faults.push(`uncaught on ${page.url()}: ${e.message}`))
  page.on('console', m => { if (/Content Security Policy|Refused to/.test(m.text())) faults.push(m.text()) })
  page.setDefaultTimeout(15_000)
  return page
}
export async function shot(page, name) {
  if (!shots || (process.env.SHOTS_ONLY && !process.env.SHOTS_ONLY.split(' ').includes(name))) return
  mkdirSync(shots, { recursive: true })
  await page.screenshot({ path: `${shots}/${name}.png` })
}
export async function accessible(page, what) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  ok(violations.length === 0, `${what}: ${violations.map(v => `${v.id} ${v.nodes.map(n => n.html.slice(0, 160)).join(' | ')}`).join('\n')}`)
}
/** waitForFunction evaluates text, which a strict policy forbids the page. */
export async function until(page, f) {
  for (const end = Date.now() + 10_000; Date.now() < end; await new Promise(r => setTimeout(r, 50))) if (await page.evaluate(f)) return
  throw new Error(`never true: ${f}`)
}
export const tell = async (what, more = {}) => ok((await fetch(`${control}/${what}?${new URLSearchParams(more)}`, { method: 'POST' })).ok, `control ${what}`)

export async function signIn(email, options = {}, before = async () => {}) {
  const p = await person(options)
  await before(p)
  await p.goto(`${base}/console`)
  await p.fill('#email', email)
  await p.fill('#password', 'a long password')
  await p.click('button')
  await p.waitForSelector('.desk')
  await p.selectOption('#presence', 'online')
  return p
}
export async function ask(p, name, question) {
  await p.goto(`${base}/chat`)
  await p.fill('#name', name)
  await p.fill('#email', `${name.toLowerCase().split(' ')[0]}@example.com`)
  await p.fill('#question', question)
  await p.click('text=Chat now >> nth=-1')
  await p.waitForSelector('h1:has-text("You are in the queue")')
}
/** The customer ends the chat, which asks once. */
export async function leave(p) {
  await p.click('text=End chat')
  await p.click('[role="alertdialog"] button >> nth=0')
}
