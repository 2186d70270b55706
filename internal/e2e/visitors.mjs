// What a customer meets on the way in and on the way out: nothing is lost, and nothing is said that is not so.
import { accessible, ask, base, leave, ok, person, shot, signIn, tell, until } from './browser.mjs'

/** The panel that the launcher of a foreign page opens, and a way to press the launcher. */
async function launch(page) {
  await page.goto(process.env.FOREIGN)
  await until(page, () => document.body.lastElementChild?.tagName === 'DIV')
  const press = () => page.mouse.click(1440 - 80, 900 - 44)
  const framed = page.waitForEvent('frameattached') // frames of a shadow tree are not in window.frames
  await press()
  return { frame: await framed, press }
}
async function askIn(frame, name, question) {
  await frame.fill('#name', name)
  await frame.fill('#email', `${name.toLowerCase()}@example.com`)
  await frame.fill('#question', question)
  await frame.click('button:has-text("Chat now")')
  await frame.waitForSelector('.place >> text=You are next')
}

export const visitors = {
  async 'what is folded away is not seen, and goes along to the next page'() {
    await tell('open')
    for (const storage of ['kept', 'denied']) {
      const champion = await signIn('priya@example.com')
      const page = await person()
      if (storage === 'denied') await page.addInitScript(() => { if (location.pathname === '/chat') Object.defineProperty(globalThis, 'localStorage', { get() { throw new Error('denied') } }) })
      const { frame, press } = await launch(page)
      await askIn(frame, 'Fola', 'May I browse meanwhile?')
      await champion.click('text=Take Fola')
      await frame.waitForSelector('text=Priya Raman joined')
      await frame.click('text=Fold away')
      await champion.fill('#composer', 'Yes, do')
      await champion.press('#composer', 'Enter')
      await champion.waitForSelector('.message[data-own]:has-text("Yes, do") >> text=Delivered')
      await until(frame, () => document.body.textContent.includes('Yes, do'))
      ok(await champion.locator('.message[data-own] >> text=Seen').count() === 0, 'nobody has seen it')
      await shot(page, `widget-unread-${storage}`)
      await press()
      await champion.waitForSelector('.message[data-own]:has-text("Yes, do") >> text=Seen')

      const again = page.waitForEvent('frameattached')
      await page.reload()
      const next = await again
      await until(next, () => document.body.textContent.includes('Yes, do'))
      await champion.fill('#composer', 'Still there?')
      await champion.press('#composer', 'Enter')
      await champion.waitForSelector('.message[data-own]:has-text("Still there?") >> text=Delivered')
      await press()
      await champion.waitForSelector('.message[data-own]:has-text("Still there?") >> text=Seen')
      await next.fill('#composer', 'On the next page')
      await next.press('#composer', 'Enter')
      await champion.waitForSelector('.talk__log >> text=On the next page')
      await leave(next)
      await next.waitForSelector('text=The chat has ended')
      await page.context().close()
      await champion.context().close()
    }
  },
  async 'an ended chat is there after a reload, and a slip ends none'() {
    const champion = await signIn('priya@example.com')
    const customer = await person()
    await ask(customer, 'Edda', 'Will this be kept?')
    await champion.click('text=Take Edda')
    await champion.waitForSelector('.talk__log >> text=Will this be kept?')
    await customer.waitForSelector('text=Priya Raman joined')
    await customer.click('text=End chat')
    await customer.waitForSelector('[role="alertdialog"]')
    await accessible(customer, 'asks before the end')
    await customer.click('text=Stay')
    await customer.fill('#composer', 'a\nlonger\nmessage\nwith\nmany\nlines')
    ok((await customer.locator('#composer').boundingBox()).height > 100, 'the box grows')
    await customer.press('#composer', 'Enter')
    await champion.waitForSelector('.talk__log >> text=longer')
    await leave(customer)
    await customer.waitForSelector('text=The chat has ended')
    await customer.reload()
    await customer.waitForSelector('.message >> text=Will this be kept?')
    await customer.click('text=Make a ticket of it')
    await shot(customer, 'ticket-of-ended')
    await customer.click('text=Send ticket')
    await customer.waitForSelector('text=/Ticket \\d+ is open/')
    ok(/\/tickets\/\d+$/.test(await customer.locator('a:has-text("Follow ticket")').getAttribute('href')), 'a way to the ticket')
    await customer.click('text=Done')
    await customer.waitForSelector('#question')
    await champion.context().close()
    await customer.context().close()
  },
  async 'a ticket instead of waiting, without losing the place'() {
    const champion = await signIn('priya@example.com')
    const customer = await person()
    await ask(customer, 'Ulla', 'Is it quicker by ticket?')
    await customer.click('text=Write a ticket instead')
    ok((await customer.inputValue('#description')) === 'Is it quicker by ticket?', 'the words are in it')
    await accessible(customer, 'ticket instead')
    await customer.click('text=Back to the queue')
    await customer.waitForSelector('text=You are next')
    await customer.click('text=Write a ticket instead')
    await customer.fill('#description', 'Is it quicker by ticket? I try.')
    await champion.click('text=Take Ulla') // somebody comes meanwhile
    await customer.click('text=Go to the chat')
    await customer.waitForSelector('text=Priya Raman joined')
    await leave(customer)
    await customer.waitForSelector('text=The chat has ended')
    await customer.click('text=New chat')
    await ask(customer, 'Ulla', 'Once more')
    await customer.click('text=Write a ticket instead')
    await customer.click('text=Send ticket')
    await customer.waitForSelector('text=/Ticket \\d+ is open/')
    await until(champion, () => !document.body.textContent.includes('Take Ulla')) // who has a ticket waits no longer
    await champion.context().close()
    await customer.context().close()
  },
  async 'a page that names an unknown product is no dead end'() {
    const champion = await signIn('priya@example.com')
    const customer = await person()
    await customer.goto(`${base}/chat?product=nobody-knows-it`)
    await customer.waitForSelector('.place >> text=Priya is here')
    await customer.fill('#name', 'Nadia')
    await customer.fill('#email', 'nadia@example.com')
    await customer.fill('#question', 'Do I get through?')
    await customer.click('button:has-text("Chat now")')
    await customer.waitForSelector('.place >> text=You are next')
    await leave(customer)
    await customer.waitForSelector('text=The chat has ended')
    await champion.context().close()
    await customer.context().close()
  },
  async 'the chat page says that it is closed, and when somebody comes'() {
    await tell('close')
    const customer = await person()
    await customer.goto(`${base}/chat`)
    await customer.waitForSelector('.place[data-shut] >> text=Chat opens', { timeout: 25_000 }) // at its next look
    await accessible(customer, 'closed chat page')
    await shot(customer, 'chat-closed')
    await customer.fill('#question', 'I write it down')
    await customer.click('text=Write a ticket')
    ok(await customer.inputValue('#description') === 'I write it down', 'the words are kept')
    await customer.click('text=Back')
    await tell('open')
    const champion = await signIn('priya@example.com')
    await customer.waitForSelector('.place >> text=Priya is here', { timeout: 25_000 })
    ok(await customer.inputValue('#question') === 'I write it down', 'and still there')
    await champion.context().close()
    await customer.context().close()
  },
}
