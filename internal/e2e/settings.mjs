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
    await admin.click('.settings nav >> text=Products') // elsewhere: saving leads back to the field
    await admin.click('text=Save >> nth=-1')
    await admin.waitForSelector('h1:has-text("Waiting times")')
    await until(admin, () => document.activeElement?.getAttribute('aria-invalid') === 'true')
    await admin.fill('text=Solved becomes Closed after', '24h')
    await admin.waitForSelector('small:has-text("1 day.")')

    // Somebody else saves meanwhile: both changes stay.
    const doc = await (await admin.request.get(`${api}/settings`)).json()
    ok((await admin.request.put(`${api}/settings`, { data: { ...doc, policy: { ...doc.policy, survey_cooldown: '24h' }, destinations: [...doc.destinations, 'A shoe box'] } })).ok(), 'the other one saves')
    await admin.waitForSelector('[aria-invalid="true"]', { state: 'detached' })
    await admin.click('text=Save >> nth=-1')
    await admin.waitForSelector('text=Somebody else saved settings meanwhile')
    await admin.waitForSelector('code:has-text("policy.survey_cooldown")') // what it was is said
    await shot(admin, 'settings-stale')
    await accessible(admin, 'settings: changed meanwhile')
    await admin.click('text=Save >> nth=-1')
    await admin.waitForSelector('text=Saved. It is in force')
    const both = await (await admin.request.get(`${api}/settings`)).json()
    ok(both.policy.solved_closes_after === '24h0m0s' && both.policy.survey_cooldown === '24h0m0s' && both.destinations.includes('A shoe box'), 'both changes are kept')

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

    // Lists are typed as one types.
    await admin.click('.settings nav >> text=Lists and limits')
    await admin.focus('text=One on a line')
    await admin.keyboard.press('Control+End')
    await admin.keyboard.type('\nA cupboard')
    await admin.click('text=Save >> nth=-1')
    await admin.waitForSelector('text=Saved. It is in force')
    ok((await (await admin.request.get(`${api}/settings`)).json()).destinations.at(-1) === 'A cupboard', 'a line is added by keyboard')

    // On a phone, at night.
    for (const [width, height] of [[768, 1024], [390, 844]]) {
      await admin.setViewportSize({ width, height })
      await admin.emulateMedia({ colorScheme: width === 390 ? 'dark' : 'light' })
      for (const section of ['Hours', 'Holidays', 'Waiting times', 'Products', 'History']) {
        await admin.click(`.settings nav >> text=${section}`)
        await admin.waitForSelector(`h1:has-text("${section}")`)
        await accessible(admin, `settings at ${width}: ${section}`)
        ok(await admin.evaluate(() => document.querySelector('.settings').scrollWidth <= document.querySelector('.settings').clientWidth), `nothing is wider than ${width}: ${section}`)
        await shot(admin, `settings-${section.toLowerCase().replaceAll(' ', '-')}-${width}`)
      }
    }
    await admin.setViewportSize({ width: 1440, height: 900 })
    for (const section of ['Hours', 'Waiting times']) {
      await admin.click(`.settings nav >> text=${section}`)
      await accessible(admin, `settings in the dark: ${section}`)
      await shot(admin, `settings-${section.toLowerCase().replaceAll(' ', '-')}-dark`)
    }
    await admin.emulateMedia({ colorScheme: 'light' })

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
