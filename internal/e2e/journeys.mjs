// The journeys in a real browser: a customer in one window, a champion in another.
// Started by e2e_test.go with the server's address; it exits non-zero at the first thing that is not as it should be.
import { accessible, ask, base, browser, faults, leave, ok, person, shot, signIn, tell, until } from './browser.mjs'
import { customers } from './customers.mjs'
import { handwork } from './handwork.mjs'
import { duty } from './duty.mjs'
import { reports } from './reports.mjs'
import { settings } from './settings.mjs'
import { visitors } from './visitors.mjs'

const journeys = {
  async 'chat and convert'() {
    const champion = await signIn('priya@example.com')
    const customer = await person()
    await customer.goto(base)
    await accessible(customer, 'help page')
    await shot(customer, 'help')
    await customer.goto(`${base}/chat`)
    await accessible(customer, 'start of chat')
    await ask(customer, 'Marguerite', 'The backup stops at 47 %. GUID 948688015614210048')
    await customer.fill('#composer', 'And it says “destination unavailable” 🙂\nsecond line')
    await customer.press('#composer', 'Enter')
    await customer.waitForSelector('text=Kept for the champion')
    await champion.waitForSelector('text=Offered to you')
    await champion.locator('h1').first().click()
    await champion.keyboard.press('a')
    await champion.waitForSelector('.talk__log >> text=second line')
    await customer.waitForSelector('text=Priya Raman joined the chat.')
    await champion.fill('#composer', 'Good morning, Marguerite. https://example.com/help helps.')
    await champion.press('#composer', 'Enter')
    await customer.waitForSelector('a:has-text("https://example.com/help")')
    await champion.waitForSelector('text=Seen')
    await champion.keyboard.press('Escape')
    await champion.keyboard.press('n')
    await champion.fill('#composer', 'a secret note')
    await shot(champion, 'console')
    await accessible(champion, 'console')
    await champion.press('#composer', 'Enter')
    await champion.waitForSelector('[data-kind="note"] >> text=a secret note')
    await champion.keyboard.press('Escape')
    await champion.keyboard.press('t')
    await champion.waitForSelector('#c-devices')
    ok((await champion.inputValue('#c-devices')).includes('948688015614210048'), 'the GUID is found')
    await champion.click('text=I can work in a restricted way')
    await shot(champion, 'convert')
    await accessible(champion, 'drawer')
    await champion.click('button:has-text("Make ticket") >> nth=-1')
    await champion.waitForSelector('text=/This chat is ticket \\d+/')
    await customer.waitForSelector('text=/This chat is now ticket \\d+/')
    ok(!(await customer.content()).includes('a secret note'), 'a note never reaches the customer')
    await shot(customer, 'chat')
    await champion.keyboard.press('Escape')
    await champion.keyboard.press('2')
    await champion.click('.table a >> nth=0')
    await champion.waitForSelector('text=a secret note')
    await shot(champion, 'ticket')
    await accessible(champion, 'ticket')
    await champion.fill('#reply', 'Please update the app to 11.8.0.')
    await champion.click('text=Send and ask')
    await champion.waitForSelector('.badge[data-is="pending"]')
    await champion.keyboard.press('Escape')
    await leave(customer)
    await customer.waitForSelector('text=/This is now ticket \\d+/')
    await accessible(customer, 'ended chat')
    await champion.context().close()
    await customer.context().close()
  },
  async 'reload and network loss in mid-sentence'() {
    const champion = await signIn('priya@example.com')
    let customer = await person()
    await ask(customer, 'Tomasz', 'One')
    await champion.click('text=Take Tomasz')
    await customer.waitForSelector('text=joined the chat')
    await customer.fill('#composer', 'half a sent')
    await customer.reload()
    await customer.waitForSelector('text=joined the chat')
    ok(await customer.inputValue('#composer') === 'half a sent', 'the draft is kept over a reload')
    await tell('stop')
    await customer.waitForSelector('text=Reconnecting')
    for (const word of ['Two', 'Three']) { await customer.fill('#composer', word); await customer.press('#composer', 'Enter') }
    await customer.waitForSelector('text=Not sent yet, kept here')
    await shot(customer, 'offline')
    const context = customer.context()
    await customer.close() // the lid is closed, and what is unsent waits in the browser
    await tell('start')
    customer = await context.newPage()
    await customer.goto(`${base}/chat`)
    await champion.waitForSelector('.talk__log >> text=Three')
    await customer.waitForFunction(() => !document.body.innerText.includes('Not sent yet') && document.body.innerText.includes('Three'))
    for (const p of [customer, champion]) {
      const said = await p.locator('.message__body').allInnerTexts()
      ok(said.join('|') === 'One|Two|Three', `each once and in order, not ${said.join('|')}`)
    }
    await leave(customer)
    await customer.click('text=Make a ticket of it')
    await customer.click('text=Send ticket')
    await customer.waitForSelector('text=/Ticket \\d+ is open/')
    await champion.waitForSelector('text=/This chat is now ticket \\d+/')
    await customer.context().close()
    await champion.context().close()
  },
  async 'a queue of two, and one who is taken over'() {
    const champion = await signIn('jonas@example.com')
    const [one, two] = [await person(), await person({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' })]
    await ask(one, 'Ines', 'First')
    await ask(two, 'Lin', 'Second')
    await two.waitForSelector('text=/Number 2 in line/')
    await shot(two, 'queue-dark-390')
    await accessible(two, 'queue')
    await champion.click('text=Take Ines')
    await two.waitForSelector('text=You are next')
    await champion.click('text=Take Lin')
    await two.waitForSelector('text=Jonas Lindqvist joined')
    await champion.context().close() // the champion vanishes
    await two.waitForSelector('text=/lost the connection/')
    await two.waitForSelector('h1:has-text("You are in the queue")')
    await one.context().close()
    await two.context().close()
  },
  async 'closing time passes while waiting'() {
    const champion = await signIn('priya@example.com')
    const customer = await person()
    await ask(customer, 'Sunniva', 'My account has expired')
    await customer.fill('#composer', 'and I need a file today')
    await tell('close')
    await customer.waitForSelector('text=Chat has closed for today')
    const text = await customer.inputValue('#description')
    ok(text.includes('My account has expired') && text.includes('and I need a file today'), `every word is kept, not ${text}`)
    await customer.click('text=Send ticket')
    await customer.waitForSelector('text=/Ticket \\d+ is open/')
    await shot(customer, 'missed-to-ticket')
    await champion.context().close()
    await customer.context().close()
  },
  async 'refused out of hours, with the words kept'() {
    await tell('close')
    const customer = await person({ colorScheme: 'dark' })
    await customer.goto(base)
    await customer.waitForSelector('text=Closed now')
    await accessible(customer, 'closed help page')
    await shot(customer, 'help-closed-dark')
    await customer.goto(`${base}/chat`)
    await customer.fill('#name', 'Obadiah')
    await customer.fill('#email', 'obadiah@example.com')
    await customer.fill('#question', 'Which version is current?')
    await customer.click('text=Chat now >> nth=-1')
    await customer.waitForSelector('text=Chat is closed at the moment')
    ok(await customer.inputValue('#description') === 'Which version is current?', 'the words are kept')
    await customer.click('text=Send ticket')
    await customer.waitForSelector('text=/Ticket \\d+ is open/')
    await customer.goto(`${base}/tickets/new`)
    await accessible(customer, 'ticket form')
    for (const [id, v] of Object.entries({ name: 'Obadiah', email: 'obadiah@example.com', subject: 'Form', description: 'All fields', devices: '123' })) await customer.fill(`#${id}`, v)
    await customer.click('text=Send ticket')
    await customer.waitForSelector('text=/no computer ID/')
    ok(await customer.inputValue('#description') === 'All fields', 'an error loses nothing')
    await customer.fill('#devices', '948688015614210048')
    await customer.click('text=Send ticket')
    await customer.waitForSelector('text=/Ticket \\d+ is open/')
    await customer.context().close()
  },
  async 'the launcher in a foreign page under a strict policy'() {
    await tell('open')
    const page = await person()
    const loaded = []
    page.on('request', r => { if (r.url().startsWith(base)) loaded.push(new URL(r.url()).pathname) })
    await page.goto(process.env.FOREIGN)
    await until(page, () => document.body.lastElementChild?.tagName === 'DIV')
    ok(loaded.join() === '/widget.js', `nothing but the launcher before the click, not ${loaded}`)
    const framed = page.waitForEvent('frameattached') // frames of a shadow tree are not in window.frames
    await page.mouse.click(1440 - 80, 900 - 44)
    const frame = await framed
    await frame.waitForSelector('#question')
    await shot(page, 'widget')
    await page.context().close()
  },
}

try {
  const only = process.env.ONLY
  for (const [name, run] of Object.entries({ ...journeys, ...customers, ...settings, ...duty, ...visitors, ...handwork, ...reports })) {
    if (only && !only.split('|').some(o => name.includes(o))) continue
    faults.length = 0
    try { await run() } catch (e) {
      for (const c of browser.contexts()) for (const p of c.pages()) { await shot(p, `failed-${c.pages().indexOf(p)}-${browser.contexts().indexOf(c)}`) }
      throw new Error(`${name}: ${e.message}`)
    }
    ok(faults.length === 0, `${name}: ${faults.join('\n')}`)
    console.log(`ok  ${name}`)
  }
} catch (e) {
  console.error(e.message)
  process.exitCode = 1
} finally { await browser.close() }
