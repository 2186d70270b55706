// What customers do outside of a chat: the form with files, an account, the ticket to its end, the survey.
import { accessible, ask, base, leave, ok, person, shot, signIn, tell, until } from './browser.mjs'

const api = `${base}/api/v1`
const picture = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
const log = Buffer.from('os.name=Windows\nos.version=10.0\napp version: 11.7.2\nguid=948688015614212345\n' + 'line\n'.repeat(400_000)) // two parts

/** The administrator reads the outbox, as there is no mail server. */
async function mails(admin, to, kind) {
  const list = (await (await admin.request.get(`${api}/outbox`)).json()).mails.filter(m => m.to === to && m.kind === kind)
  return Promise.all(list.map(async m => (await (await admin.request.get(`${api}/outbox/${m.id}`)).json()).mail.text))
}
export async function mail(admin, to, kind) {
  for (const end = Date.now() + 15_000; Date.now() < end; await new Promise(r => setTimeout(r, 50))) {
    const found = await mails(admin, to, kind)
    if (found.length) return found[0]
  }
  throw new Error(`no mail ${kind} to ${to}`)
}
async function policy(admin, change) {
  const doc = await (await admin.request.get(`${api}/settings`)).json()
  const res = await admin.request.put(`${api}/settings`, { data: { ...doc, policy: { ...doc.policy, ...change } } })
  ok(res.ok(), `settings: ${res.status()} ${await res.text()}`)
}

export const customers = {
  async 'a ticket with files, an account, and the way to its end'() {
    await tell('close')
    const champion = await signIn('priya@example.com')
    const admin = champion.context()
    const p = await person()
    await p.goto(`${base}/tickets/new`)
    ok(await p.inputValue('#os') !== '', 'the system is filled in')
    await p.fill('#os', '')
    await p.fill('#os_version', '')
    await p.fill('#description', 'It stops at 47 %.')
    await p.reload()
    ok(await p.inputValue('#description') === 'It stops at 47 %.', 'the draft outlives a reload')
    await p.fill('#os', '')
    await p.fill('#os_version', '')
    await p.setInputFiles('#files', [{ name: 'service.log', mimeType: 'text/plain', buffer: log }, { name: 'screen.png', mimeType: 'image/png', buffer: picture }])
    await until(p, () => document.querySelectorAll('[name="logs"]').length === 2)
    ok(await p.inputValue('#app_version') === '11.7.2' && await p.inputValue('#devices') === '948688015614212345' && await p.inputValue('#os') === 'Windows', 'what the log tells is offered')
    await p.locator('#app_version').dispatchEvent('change')
    await p.waitForSelector('#old:not([hidden])')
    await p.check('text=I cannot restore from a backup')
    ok(await p.isChecked('[name="priority"][value="urgent"]'), 'a scenario is Urgent')
    await accessible(p, 'form')
    await shot(p, 'form')
    await p.fill('#name', 'Marguerite Duval')
    await p.fill('#email', 'marguerite@duval.example')
    await p.fill('#subject', 'Restoring stops')
    await p.fill('#devices', '12')
    await p.click('text=Send ticket') // what is wrong stands at its field, and the files are still there
    await p.waitForSelector('#wrong-devices')
    ok(await p.locator('.sending >> text=service.log').count() === 1 && await p.locator('[name="logs"]').count() === 2, 'the files outlive an error')
    ok(await p.inputValue('#description') === 'It stops at 47 %.' && await p.isChecked('[name="priority"][value="urgent"]') && await p.isChecked('text=I cannot restore from a backup'), 'so does all else')
    await p.fill('#devices', '948688015614212345')
    await p.click('text=Send ticket')
    await p.waitForSelector('text=/Ticket \\d+ is open/')
    await accessible(p, 'confirmation')
    const number = (await p.textContent('h1')).match(/\d+/)[0]
    await p.reload() // and nothing is sent again
    ok((await p.textContent('h1')).includes(number), 'the confirmation outlives a reload')
    await shot(p, 'sent')
    await p.fill('#password', 'a long password') // an account in one step
    await p.click('text=Create my account')
    await p.waitForSelector('text=Look into your mail')
    await p.goto((await mail(admin, 'marguerite@duval.example', 'verify')).match(/http\S+verify\S+/)[0])
    await accessible(p, 'button of a mailed link')
    await p.click('text=Yes, it is mine')
    await p.waitForSelector('text=Restoring stops')
    await accessible(p, 'own tickets')
    await p.click('text=Restoring stops')
    await p.waitForSelector('text=It is our turn')
    ok(await p.locator('text=service.log').count() === 1, 'the files are on the ticket')
    const at = new URL(p.url()).pathname

    // The champion asks; the customer answers with a file; the champion solves.
    await champion.goto(`${base}/console?ticket=${at.split('/').pop()}`)
    await champion.fill('#reply', 'Which version has the other computer?')
    await champion.click('text=Send and ask (Pending)')
    await champion.waitForSelector('text=/Solves .* unless answered/')
    await accessible(champion, 'ticket in the console')
    await p.reload()
    await p.waitForSelector('text=We are waiting for you')
    await accessible(p, 'pending ticket')
    await shot(p, 'customer-ticket')
    await p.fill('#body', 'Also 11.7.2.')
    await p.setInputFiles('#files', [{ name: 'again.png', mimeType: 'image/png', buffer: picture }])
    await p.click('text=Send answer') // at once: it goes by itself when the file is there
    await p.waitForSelector('.exchange >> text=again.png')
    await p.click('summary')
    await p.fill('#reason', 'We cannot work.')
    await p.click('button[value="escalate"]')
    await p.waitForSelector('text=It is in review')
    await champion.reload()
    await champion.waitForSelector('text=asked for a manager')
    await champion.fill('text=Answer, for the customer', 'I look after it myself.')
    await champion.click('text=It is dealt with')
    await champion.waitForSelector('text=it is done by')
    await champion.fill('#reply', 'Update to 11.8.0, then it goes on.')
    await champion.click('text=Send and solve')
    await champion.waitForSelector('text=/Closes .* unless answered/')
    const solved = await mail(admin, 'marguerite@duval.example', 'solved')
    await p.goto(solved.match(/http\S+answer=help/)[0])
    await p.click('text=I still need help')
    await p.waitForSelector('text=It is our turn')
    await policy(admin, { solved_closes_after: '1ms' })
    await p.click('text=It is solved, thank you')
    await p.goto((await mail(admin, 'marguerite@duval.example', 'survey')).match(/http\S+survey\S+/)[0])
    await accessible(p, 'survey')
    await shot(p, 'survey')
    await p.check('text=Very good')
    await p.click('text=Send')
    await p.waitForSelector('text=Thank you')
    await policy(admin, { solved_closes_after: '48h' })
    await p.goto(base + at)
    await p.fill('#body', 'It is back.')
    await p.click('text=Send answer')
    await p.waitForSelector(`text=/follow-up of/`)
    ok(new URL(p.url()).pathname !== at, 'a reply to a closed ticket is another ticket')
    await p.goto(`${base}/account`)
    await accessible(p, 'account')
    await p.context().close()
    await champion.context().close()
  },
  async 'files in a chat'() {
    await tell('open')
    const champion = await signIn('priya@example.com')
    const p = await person()
    await ask(p, 'Konrad', 'See the picture')
    await champion.waitForSelector('text=Offered to you')
    await champion.locator('h1').first().click()
    await champion.keyboard.press('a')
    await p.setInputFiles('[type="file"]', [{ name: 'screen.png', mimeType: 'image/png', buffer: picture }])
    await champion.waitForSelector('.file img')
    await p.waitForSelector('.file img')
    await champion.setInputFiles('.talk [type="file"]', [{ name: 'steps.txt', mimeType: 'text/plain', buffer: Buffer.from('First, restart.') }])
    const saved = p.waitForEvent('download')
    await p.click('text=steps.txt')
    ok((await saved).suggestedFilename() === 'steps.txt', 'the customer saves the file')
    await accessible(p, 'chat with files')
    await shot(p, 'chat-files')
    await leave(p)
    await p.waitForSelector('text=The chat has ended')
    await champion.context().close()
    await p.context().close()
  },
}
