import { day } from '../lib/time'
import type { Found } from '../lib/upload'
import { attach } from './files'
import { drafts } from './drafts'
import { helpfulForm } from './form'
import { watchTicket } from './watch'

/** Instants in the reader's own zone; the page itself has the company's. */
for (const el of document.querySelectorAll<HTMLTimeElement>('time[data-local]')) {
  if (!el.dateTime) continue
  el.title = el.textContent ?? ''
  el.textContent = day(el.dateTime)
}
for (const el of document.querySelectorAll<HTMLInputElement>('input[name="timezone"]')) el.value = Intl.DateTimeFormat().resolvedOptions().timeZone

drafts()
helpfulForm()
watchTicket()
document.getElementById('problem')?.focus()

/** What a log tells is offered where the form asks for it, and never overwrites. */
function offer(f: Found): void {
  const put = (name: string, value: string | undefined) => {
    const field = document.querySelector<HTMLInputElement | HTMLTextAreaElement>(`[name="${name}"]`)
    if (!field || !value || field.value.trim()) return
    field.value = value
    field.classList.add('offered')
    field.title = 'From the file that you sent'
  }
  put('os', f.os)
  put('os_version', f.os_version)
  put('app_version', f.app_version)
  put('devices', f.devices?.join('\n'))
}
for (const el of document.querySelectorAll<HTMLInputElement>('input[type="file"][data-files]')) attach(el, offer)
