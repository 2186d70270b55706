import { older, system } from '../lib/system'

/** What the ticket form can do for somebody: tells an old version kindly, fills in the system, and ticks what a scenario means. */
export function helpfulForm(): void {
  const version = document.querySelector<HTMLInputElement>('#app_version')
  const product = document.querySelector<HTMLSelectElement>('#product')
  const old = document.getElementById('old')
  if (!version || !product || !old) return
  const look = () => {
    const now = product.selectedOptions[0]?.dataset['version'] ?? ''
    old.hidden = !now || !version.value.trim() || !older(version.value, now)
    old.textContent = old.hidden ? '' : old.dataset['words']!.replace('{now}', now)
  }
  version.addEventListener('change', look)
  product.addEventListener('change', look)
  look()
  const os = document.querySelector<HTMLInputElement>('#os')
  const osVersion = document.querySelector<HTMLInputElement>('#os_version')
  if (os && osVersion && !os.value) void system().then(s => { if (!os.value && s) { os.value = s.name; osVersion.value = s.version; os.title = 'From this browser. Change it if another computer has the fault.' } })
  for (const box of document.querySelectorAll<HTMLInputElement>('[data-means]')) {
    box.addEventListener('change', () => {
      const level = document.querySelector<HTMLInputElement>(`[name="priority"][value="${box.dataset['means']}"]`)
      if (box.checked && level) level.checked = true
    })
  }
}
