// What a manager looks at afterwards.
import { accessible, ask, leave, ok, person, shot, signIn, tell } from './browser.mjs'

export const reports = {
  async 'every figure of a report opens what it counts'() {
    await tell('open')
    for (const colorScheme of ['light', 'dark']) {
      const manager = await signIn('priya@example.com', { colorScheme })
      const customer = await person()
      await ask(customer, `Count${colorScheme}`, 'Am I counted?')
      await manager.click('.waits > .button')
      await customer.waitForSelector('text=Priya Raman joined')
      await leave(customer)
      await customer.waitForSelector('text=The chat has ended')
      await manager.click('nav >> text=Reports')
      await manager.waitForSelector('.chart canvas')
      await accessible(manager, `reports, ${colorScheme}`)
      await shot(manager, `reports-${colorScheme}`)
      const said = Number(await manager.locator('.figure >> nth=1 >> strong').innerText())
      await manager.click('.figure >> nth=1')
      await manager.waitForSelector('.table >> text=Am I counted?')
      ok(await manager.locator('.table tbody tr').count() === Math.min(said, 100), `the figure is ${said}`)
      await accessible(manager, `rows of a figure, ${colorScheme}`)
      const [file] = await Promise.all([manager.waitForEvent('download'), manager.click('text=As CSV')])
      ok(file.suggestedFilename() === 'chatnow-taken.csv', file.suggestedFilename())
      await manager.click('text=Back to the report')
      await manager.click('.heat button >> nth=0')
      await manager.waitForSelector('.table tbody tr')
      await manager.click('.table .link >> nth=0')
      await manager.waitForSelector('.talk__log')
      await manager.context().close()
      await customer.context().close()
    }
    const champion = await signIn('jonas@example.com')
    ok(await champion.locator('nav >> text=Reports').count() === 0, 'for managers alone')
    ok((await champion.request.get(`${process.env.BASE}/api/v1/reports`)).status() === 403, 'and the server says so')
    await champion.context().close()
  },
}
