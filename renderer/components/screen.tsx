// The frame of every screen: a title, its actions, and a body that scrolls.

import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Screen as ScreenName } from '../state/route.ts'

interface ScreenProps {
  name: ScreenName
  actions?: ReactNode
  /** A word beside the title, e.g. what is open. */
  aside?: ReactNode
  /** Panes of their own scroll instead of the body. */
  isFlush?: boolean
  children: ReactNode
}

/** A screen with its heading. */
export function Screen({ name, actions, aside, isFlush = false, children }: ScreenProps) {
  const { t } = useTranslation()
  return (
    <section className="screen" aria-labelledby="screen-title" data-testid={`screen-${name}`}>
      <div className="screen-head">
        <h1 id="screen-title">{t(`screens.${name}`)}</h1>
        {aside}
        <div className="actions">{actions}</div>
      </div>
      <div className={isFlush ? 'screen-body flush' : 'screen-body'}>{children}</div>
    </section>
  )
}

interface SectionProps {
  title: string
  actions?: ReactNode
  children: ReactNode
}

/** A titled part of a screen, set apart by a line. */
export function Section({ title, actions, children }: SectionProps) {
  return (
    <section className="section" aria-label={title}>
      <div className="section-head">
        <h2>{title}</h2>
        {actions && <div className="actions">{actions}</div>}
      </div>
      {children}
    </section>
  )
}
