// Which screen is shown, kept in the address after `#` so that reload, back and links work. Unknown addresses mean Overview.

import { useSyncExternalStore } from 'react'

export const screens = [
  'overview',
  'models',
  'taxonomy',
  'documents',
  'generate',
  'curate',
  'datasets',
  'tune',
  'evaluate',
  'chat',
  'export',
  'settings',
] as const
export type Screen = (typeof screens)[number]

export interface Route {
  screen: Screen
  /** What the screen has open: a leaf, a run, a dataset. Empty = nothing. */
  subject: string
}

/** Reads `#/screen/subject`. */
export function parseRoute(hash: string): Route {
  const [, name = '', ...rest] = hash.split('/')
  const screen = screens.find((known) => known === name)
  return screen ? { screen, subject: decodeURIComponent(rest.join('/')) } : { screen: 'overview', subject: '' }
}

/** The address of a screen. */
export function hrefOf(screen: Screen, subject = ''): string {
  return subject ? `#/${screen}/${encodeURIComponent(subject)}` : `#/${screen}`
}

/** Goes to a screen. */
export function goTo(screen: Screen, subject = ''): void {
  location.hash = hrefOf(screen, subject)
}

function onHash(listener: () => void): () => void {
  window.addEventListener('hashchange', listener)
  return () => window.removeEventListener('hashchange', listener)
}

/** The current screen; renders again when it changes. */
export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(onHash, () => location.hash))
}
