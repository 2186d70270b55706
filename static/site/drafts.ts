type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement
type Kept = Record<string, string | boolean>

/** Fields that hold what somebody typed or chose; never a password or a key. */
function fieldsOf(form: HTMLFormElement): Field[] {
  return [...form.elements].filter((e): e is Field => e instanceof HTMLTextAreaElement || e instanceof HTMLSelectElement ||
    (e instanceof HTMLInputElement && !['hidden', 'password', 'file', 'submit'].includes(e.type)))
}
const nameOf = (f: Field) => f instanceof HTMLInputElement && (f.type === 'checkbox' || f.type === 'radio') ? `${f.name}=${f.value}` : f.name
const boxed = (f: Field): f is HTMLInputElement => f instanceof HTMLInputElement && (f.type === 'checkbox' || f.type === 'radio')

/** What is typed outlives a reload and a failed sending; it goes once the page after the sending has come. */
export function drafts(): void {
  for (const key of Object.keys(sessionStorage).filter(k => k.startsWith('chatnow.draft.'))) {
    if (!document.querySelector('[role="alert"]')) localStorage.removeItem(key)
    sessionStorage.removeItem(key)
  }
  for (const form of document.querySelectorAll<HTMLFormElement>('form[data-draft]')) {
    const key = `chatnow.draft.${form.dataset['draft']}`
    const fields = fieldsOf(form)
    const kept = JSON.parse(localStorage.getItem(key) ?? '{}') as Kept
    const came = fields.some(f => !boxed(f) && !(f instanceof HTMLSelectElement) && f.value) // the server gave the form back, or a link filled it in
    if (!came) {
      for (const f of fields) {
        const v = kept[nameOf(f)]
        if (v === undefined) continue
        if (boxed(f)) f.checked = v === true
        else f.value = String(v)
      }
    }
    form.addEventListener('input', () => localStorage.setItem(key, JSON.stringify(Object.fromEntries(fields.map(f => [nameOf(f), boxed(f) ? f.checked : f.value])))))
    form.addEventListener('submit', () => sessionStorage.setItem(key, 'sent'))
  }
}
