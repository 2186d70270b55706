let audio: AudioContext | undefined

/** A short sound, higher for what waits to be taken than for a word in a conversation; silent where none can be made. */
export function chime(kind: 'waiting' | 'message'): void {
  try {
    audio ??= new AudioContext()
    const o = audio.createOscillator()
    const g = audio.createGain()
    g.gain.value = 0.06
    o.frequency.value = kind === 'waiting' ? 740 : 560
    o.connect(g).connect(audio.destination)
    o.start()
    o.stop(audio.currentTime + 0.15)
  } catch { /* no sound here; the page shows it */ }
}
