// A plain table: columns as data, rows that may open. Draws a few hundred rows at most and says how many it leaves out; lists that
// must show more are virtual.

import { Fragment, type KeyboardEvent, type ReactNode } from 'react'
import { useTranslation } from 'react-i18next'

const mostRows = 300

export interface Column<Row> {
  key: string
  title: string
  isNumeric?: boolean
  render(row: Row): ReactNode
}

interface GridProps<Row> {
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf(row: Row): string
  onOpen?: (row: Row) => void
  selectedKey?: string | undefined
  /** What a row has to say beyond its cells, over the whole width below it; null for nothing. */
  noteOf?: (row: Row) => ReactNode
}

/** The table. Rows that open are reached with Tab and opened with Enter. */
export function Grid<Row>({ label, columns, rows, keyOf, onOpen, selectedKey, noteOf }: GridProps<Row>) {
  const { t } = useTranslation()
  const hidden = rows.length - mostRows
  return (
    <div className="grid-scroll">
      <table className="grid" aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" className={column.isNumeric ? 'num' : undefined}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, mostRows).map((row) => (
            <Fragment key={keyOf(row)}>
              <tr {...opening(row, { keyOf, onOpen, selectedKey })}>
                {columns.map((column) => (
                  <td key={column.key} className={column.isNumeric ? 'num' : undefined}>
                    {column.render(row)}
                  </td>
                ))}
              </tr>
              <Note colSpan={columns.length}>{noteOf?.(row)}</Note>
            </Fragment>
          ))}
        </tbody>
      </table>
      {hidden > 0 && <p className="dim">{t('more', { count: hidden })}</p>}
    </div>
  )
}

function Note({ colSpan, children }: { colSpan: number; children: ReactNode }) {
  if (children === null || children === undefined) return null
  return (
    <tr className="row-note">
      <td colSpan={colSpan}>{children}</td>
    </tr>
  )
}

function opening<Row>(
  row: Row,
  { keyOf, onOpen, selectedKey }: Pick<GridProps<Row>, 'keyOf' | 'onOpen' | 'selectedKey'>,
) {
  if (!onOpen) return {}
  return {
    className: 'opens',
    tabIndex: 0,
    'aria-selected': keyOf(row) === selectedKey,
    onClick: () => onOpen(row),
    onKeyDown: (event: KeyboardEvent<HTMLTableRowElement>) => {
      if (event.target !== event.currentTarget || event.key !== 'Enter') return
      event.preventDefault()
      onOpen(row)
    },
  }
}
