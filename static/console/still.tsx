import { useEffect, useRef } from 'preact/hooks'
import { leavesAt, question, stay } from './idle'
import { clockTick } from './store'

/** Asks whoever is on duty whether he still is. */
export function Still() {
  const button = useRef<HTMLButtonElement>(null)
  const asked = leavesAt.value > 0
  useEffect(() => { if (asked) button.current?.focus() }, [asked])
  if (!asked) return null
  return <div class="toast" role="alertdialog" aria-label="Still there?"><p>{clockTick.value && question(Date.now())}</p><button class="button" ref={button} onClick={stay}>I am here</button></div>
}
