// Names and values, side by side; and large figures over their names.

import { Fragment, type ReactNode } from 'react'

export type Fact = readonly [name: string, value: ReactNode]

/** Two columns: name and value. Absent values are left out. */
export function Facts({ of }: { of: readonly (Fact | false | null)[] }) {
  return (
    <dl className="facts">
      {of.map(
        (fact) =>
          fact && (
            <Fragment key={fact[0]}>
              <dt>{fact[0]}</dt>
              <dd>{fact[1]}</dd>
            </Fragment>
          ),
      )}
    </dl>
  )
}

/** A row of figures. */
export function Figures({ of }: { of: readonly Fact[] }) {
  return (
    <dl className="figures">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
