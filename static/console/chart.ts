/** The chart library, in a bundle of its own: only who opens the reports loads it. */
export { default } from 'uplot'
