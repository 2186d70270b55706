import { day } from '../lib/time'

/** Instants in the reader's own zone; the page itself has the company's. */
for (const el of document.querySelectorAll<HTMLTimeElement>('time[data-local]')) {
  el.title = el.textContent ?? ''
  el.textContent = day(el.dateTime)
}
for (const el of document.querySelectorAll<HTMLInputElement>('input[name="timezone"]')) el.value = Intl.DateTimeFormat().resolvedOptions().timeZone

/** What is typed outlives a reload and a failed sending; it goes once the page after the sending has come. */
for (const form of document.querySelectorAll<HTMLFormElement>('form[data-draft]')) {
  const key = `chatnow.draft.${form.dataset['draft']}`
  const fields = [...form.elements].filter((e): e is HTMLTextAreaElement => e instanceof HTMLTextAreaElement)
  if (sessionStorage.getItem(key) && !document.querySelector('[role="alert"]')) localStorage.removeItem(key)
  sessionStorage.removeItem(key)
  const kept = JSON.parse(localStorage.getItem(key) ?? '{}') as Record<string, string>
  for (const f of fields) if (!f.value && kept[f.name]) f.value = kept[f.name]!
  form.addEventListener('input', () => localStorage.setItem(key, JSON.stringify(Object.fromEntries(fields.map((f) => [f.name, f.value])))))
  form.addEventListener('submit', () => sessionStorage.setItem(key, 'sent'))
}
