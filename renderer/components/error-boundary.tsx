// Catches a screen that fails to draw, so that the rest of the window stays usable.

import { Component, type ReactNode } from 'react'
import { type AppError, toAppError } from '../../main/contract/errors.ts'
import { ErrorNote } from './reading.tsx'

/** Shows what happened in place of the screen; `Try again` draws it anew. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: AppError | null }> {
  override state: { error: AppError | null } = { error: null }

  static getDerivedStateFromError(thrown: unknown): { error: AppError } {
    return { error: toAppError(thrown) }
  }

  override render(): ReactNode {
    if (!this.state.error) return this.props.children
    return (
      <div className="screen-body">
        <ErrorNote error={this.state.error} onRetry={() => this.setState({ error: null })} />
      </div>
    )
  }
}
