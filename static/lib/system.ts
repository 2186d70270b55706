interface Hints { platform: string; getHighEntropyValues(names: string[]): Promise<{ platformVersion?: string }> }

/** The system of this browser. Browsers freeze what they say of it, so the version may be empty; people may always change it. */
export async function system(): Promise<{ name: string; version: string } | null> {
  const hints = (navigator as Navigator & { userAgentData?: Hints }).userAgentData
  if (hints?.platform) {
    const more = await hints.getHighEntropyValues(['platformVersion']).catch(() => ({ platformVersion: '' }))
    const v = more.platformVersion ?? ''
    if (hints.platform === 'Windows') { // the hint counts builds: 13 and more are Windows 11
      const major = Number(v.split('.')[0])
      return { name: 'Windows', version: major >= 13 ? '11' : major > 0 ? '10' : '' }
    }
    return { name: hints.platform, version: hints.platform === 'Linux' ? '' : v }
  }
  const ua = navigator.userAgent
  const name = /Windows/.test(ua) ? 'Windows' : /iPhone|iPad/.test(ua) ? 'iOS' : /Mac OS X/.test(ua) ? 'macOS' : /Android/.test(ua) ? 'Android' : /Linux/.test(ua) ? 'Linux' : ''
  return name ? { name, version: '' } : null
}

/** Compares versions number by number: 10.9 is older than 10.10. What cannot be read is not called old. */
export function older(a: string, b: string): boolean {
  const parts = (s: string) => s.trim().replace(/^v/, '').split(/[.\-_ ]/).map(Number)
  const x = parts(a)
  const y = parts(b)
  if ([...x, ...y].some(Number.isNaN)) return false
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const d = (x[i] ?? 0) - (y[i] ?? 0)
    if (d) return d < 0
  }
  return false
}
