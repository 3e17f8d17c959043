// Door of the append-only logs that files of revocations and of contacts are. Node only.
export { DamagedLog, decodeLines, encodeLine, type LogFormat, type LogPiece, utcText } from './grammar.js'
export { LogFile, type LogFileKind, type LogFileOptions, type LogOwner } from './log-file.js'
