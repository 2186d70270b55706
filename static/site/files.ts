import { Problem } from '../lib/api'
import { dropped, size, upload, type Found } from '../lib/upload'

/** Turns a form's file field into one that sends at once, with progress; without script it sends with the form. */
export function attach(input: HTMLInputElement, offer: (f: Found) => void): void {
  const form = input.form!
  const name = input.dataset['files']!
  const list = input.parentElement!.querySelector('ul') ?? document.createElement('ul')
  list.className = 'sending'
  input.after(list)
  input.removeAttribute('name')
  for (const row of list.children) row.append(remove(row.querySelector('span')!.textContent!, () => row.remove())) // the form came back with them
  let running = 0
  let submitter: HTMLElement | null = null

  async function take(file: File): Promise<void> {
    const row = document.createElement('li')
    const label = document.createElement('span')
    label.textContent = `${file.name}, ${size(file.size)}`
    const bar = document.createElement('progress')
    bar.max = 1
    bar.value = 0
    bar.setAttribute('aria-label', `Sending ${file.name}`)
    const stop = new AbortController()
    row.append(label, bar, remove(file.name, () => { stop.abort(); row.remove() }))
    list.append(row)
    running++
    try {
      const done = await upload(file, p => { bar.value = p }, stop.signal)
      const hidden = document.createElement('input')
      hidden.type = 'hidden'
      hidden.name = name
      hidden.value = done.id
      row.append(hidden)
      bar.remove()
      offer(done.found)
    } catch (e) {
      if (!stop.signal.aborted) {
        bar.remove()
        label.textContent = `${file.name}: ${e instanceof Problem ? e.message : 'it could not be sent.'}`
        label.className = 'wrong'
        label.setAttribute('role', 'alert')
      }
    }
    running--
    if (!running && submitter) form.requestSubmit(submitter)
  }
  const all = (files: File[]) => { for (const f of files) void take(f) }
  input.addEventListener('change', () => { all([...input.files ?? []]); input.value = '' })
  form.addEventListener('dragover', e => e.preventDefault())
  form.addEventListener('drop', e => { const files = dropped(e.dataTransfer); if (files.length) { e.preventDefault(); all(files) } })
  form.addEventListener('paste', e => { const files = dropped(e.clipboardData); if (files.length) { e.preventDefault(); all(files) } })
  form.addEventListener('submit', e => {
    if (!running) return
    e.preventDefault() // it goes by itself when the last file has arrived
    submitter = e.submitter
    submitter?.setAttribute('aria-busy', 'true')
  })
}

function remove(name: string, act: () => void): HTMLButtonElement {
  const off = document.createElement('button')
  off.type = 'button'
  off.className = 'link'
  off.textContent = 'Remove'
  off.setAttribute('aria-label', `Remove ${name}`)
  off.onclick = act
  return off
}
