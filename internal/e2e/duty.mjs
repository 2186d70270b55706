// Being on duty: alerts that are heard and seen, and duty that ends when nobody is there.
import { accessible, ask, base, leave, ok, person, signIn, tell } from './browser.mjs'

export const duty = {
  async 'a waiting customer is heard and seen'() {
    await tell('open')
    const champion = await signIn('priya@example.com', { permissions: ['notifications'] }, page => page.addInitScript(() => {
      globalThis.heard = []
      globalThis.seen = []
      const start = OscillatorNode.prototype.start
      OscillatorNode.prototype.start = function (...a) { globalThis.heard.push(this.frequency.value); return start.apply(this, a) }
      globalThis.Notification = class { static permission = 'granted'; static requestPermission = async () => 'granted'; constructor(title, o) { globalThis.seen.push(`${title}: ${o.body}`) } }
      Object.defineProperty(document, 'hidden', { get: () => true }) // the tab is in the background
    }))
    const customer = await person()
    await ask(customer, 'Ottilie', 'Does anybody hear me?')
    await champion.waitForSelector('text=Offered to you')
    ok(await champion.evaluate(() => globalThis.heard.length) === 1, 'one sound')
    ok(await champion.evaluate(() => globalThis.seen.join()) === 'A customer waits for you: Does anybody hear me?', 'one notice, with the question')
    await champion.click('text=Sound on')
    await champion.keyboard.press('a')
    await champion.waitForSelector('.talk__log >> text=Does anybody hear me?')
    await customer.fill('#composer', 'Hello?')
    await customer.press('#composer', 'Enter')
    await champion.waitForSelector('.talk__log >> text=Hello?')
    ok(await champion.evaluate(() => globalThis.heard.length) === 1, 'silent once it is turned off')
    await leave(customer)
    await customer.waitForSelector('text=The chat has ended')
    await customer.context().close()
    await champion.context().close()
  },
  async 'whoever has gone is not on duty'() {
    const champion = await signIn('priya@example.com', {}, page => page.clock.install())
    await champion.clock.fastForward('29:00')
    await champion.keyboard.press('Escape') // a key: half an hour begins anew
    await champion.clock.fastForward('29:00')
    ok(await champion.locator('[role="alertdialog"]').count() === 0, 'not asked while somebody is there')
    await champion.clock.fastForward('01:10')
    await champion.waitForSelector('text=Are you still there?')
    await accessible(champion, 'asked')
    await champion.click('text=I am here')
    ok(await champion.inputValue('#presence') === 'online', 'who answers stays')
    await champion.clock.fastForward('30:10')
    await champion.waitForSelector('text=Are you still there?')
    await champion.clock.fastForward('02:10')
    await champion.waitForSelector('.dot[data-is="away"]')
    await champion.context().close()
  },
  async 'a note stays a note, a long paste harms nobody, a double click is one chat'() {
    await tell('open')
    const champion = await signIn('priya@example.com')
    const customer = await person()
    await customer.goto(`${base}/chat`)
    await customer.fill('#name', 'Wanda')
    await customer.fill('#email', 'wanda@example.com')
    await customer.fill('#question', 'Only once, please')
    await customer.locator('text=Chat now >> nth=-1').dblclick()
    await customer.waitForSelector('h1:has-text("You are in the queue")')
    await champion.waitForSelector('text=Offered to you')
    ok(await champion.locator('text=Take Wanda').count() === 1, 'one chat')
    await champion.locator('h1').first().click()
    await champion.keyboard.press('a')
    await champion.waitForSelector('.talk__log >> text=Only once, please')
    ok(await champion.evaluate(() => document.activeElement.id) === 'composer', 'whoever accepts may write at once')
    await champion.keyboard.press('Escape')
    await champion.keyboard.press('n')
    await champion.fill('#composer', 'he sounds cross')
    await champion.click('.composer >> text=Reply')
    ok(await champion.inputValue('#composer') === '', 'a half-written note is no reply')
    for (const [page, say] of [[customer, 'the customer goes on'], [champion, 'the champion goes on']]) {
      await page.fill('#composer', 'x'.repeat(70_000))
      await page.press('#composer', 'Enter')
      await page.waitForSelector('text=too long for one message')
      ok((await page.inputValue('#composer')).length === 70_000, 'nothing is lost')
      await page.fill('#composer', say)
      await page.press('#composer', 'Enter')
    }
    await champion.waitForSelector('.talk__log >> text=the customer goes on')
    await customer.waitForSelector('text=the champion goes on')
    await leave(customer)
    await customer.waitForSelector('text=The chat has ended')
    await customer.context().close()
    await champion.context().close()
  },
}
