// What an administrator does in the settings, and what customers see of it at once.
import { accessible, base, ok, person, shot, signIn, tell, until } from './browser.mjs'

const file = lines => ({ name: 'holidays.ics', mimeType: 'text/calendar', buffer: Buffer.from(['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//x//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n')) })
const api = `${base}/api/v1`

export const settings = {
  async 'settings take effect at once, and lose nothing'() {
    await tell('open')
    const admin = await signIn('priya@example.com')
    const customer = await person()
    await customer.goto(base)
    await customer.waitForSelector('text=Open now')
    await admin.click('text=Settings')
    await admin.waitForSelector('.fortnight')
    await accessible(admin, 'settings: hours')
    await shot(admin, 'settings-hours')

    // All days closed but one: seen in the preview before it is saved, and by the customer after.
    const opened = new Date(Date.now() + 3 * 86_400_000).toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' })
    for (const day of ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']) {
      if (day !== opened) await admin.click(`[aria-label$="on ${day}"][aria-label^="Remove"]`)
    }
    await until(admin, () => document.querySelectorAll('.fortnight [data-open]').length === 2)
    await admin.click('text=Save >> nth=-1')
    await admin.waitForSelector('text=Saved. It is in force')
    await customer.waitForSelector('text=Closed now', { timeout: 20_000 }) // the page looks by itself

    // What is wrong stands at its field, and nothing is lost.
    await admin.click('text=Waiting times')
    await admin.fill('text=Solved becomes Closed after', 'two days')
    await admin.waitForSelector('[aria-invalid="true"]')
    await admin.click('text=Save >> nth=-1')
    await admin.waitForSelector('text=One field is not right')
    ok(await admin.evaluate(() => document.activeElement?.getAttribute('aria-invalid')) === 'true', 'the wrong field has the focus')
    await accessible(admin, 'settings: a wrong field')
    await shot(admin, 'settings-wrong')
    await admin.fill('text=Solved becomes Closed after', '24h')

    // Somebody else saves meanwhile: both changes stay.
    const doc = await (await admin.request.get(`${api}/settings`)).json()
    ok((await admin.request.put(`${api}/settings`, { data: { ...doc, destinations: [...doc.destinations, 'A shoe box'] } })).ok(), 'the other one saves')
    await admin.waitForSelector('[aria-invalid="true"]', { state: 'detached' })
    await admin.click('text=Save >> nth=-1')
    await admin.waitForSelector('text=Somebody else saved settings meanwhile')
    await admin.click('text=Save >> nth=-1')
    await admin.waitForSelector('text=Saved. It is in force')
    const both = await (await admin.request.get(`${api}/settings`)).json()
    ok(both.policy.solved_closes_after === '24h0m0s' && both.destinations.includes('A shoe box'), 'both changes are kept')

    // Holidays of a file, line by line.
    await admin.click('text=Holidays')
    await admin.setInputFiles('#ics', file(['BEGIN:VEVENT', 'UID:1', 'DTSTART;VALUE=DATE:20261225', 'SUMMARY:Christmas Day', 'END:VEVENT']))
    await admin.click('text=Take over >> nth=-1')
    await admin.click('text=Save >> nth=-1')
    await admin.waitForSelector('text=Saved. It is in force')
    await accessible(admin, 'settings: holidays')
    await shot(admin, 'settings-holidays')
    await admin.setInputFiles('#ics', file([])) // an emptied file removes nothing by itself
    await admin.waitForSelector('text=remove: not in the file')
    await admin.click('text=Take over >> nth=-1')
    ok(await admin.inputValue('text=Name') === 'Christmas Day', 'Christmas stays')

    for (const section of ['Products', 'Priorities', 'Lists and limits', 'History', 'Outbox']) {
      await admin.click(`.settings nav >> text=${section}`)
      await admin.waitForSelector(`h1:has-text("${section}")`)
      await accessible(admin, `settings: ${section}`)
      await shot(admin, `settings-${section.toLowerCase().replaceAll(' ', '-')}`)
    }
    ok((await admin.request.post(`${api}/tickets`, { data: { name: 'Tomas', email: 'tomas@example.com', subject: 'x', description: 'x', diagnostics: {} } })).ok(), 'a ticket makes a mail')
    await admin.click('.filters >> text=Waiting')
    await admin.click('.table .link >> nth=0')
    await admin.frameLocator('.letter').locator('text=Open ticket').waitFor()
    await shot(admin, 'settings-mail')
    await tell('open')
    await admin.context().close()
    await customer.context().close()
  },
}
