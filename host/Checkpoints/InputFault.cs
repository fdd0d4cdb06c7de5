using Merge.Sdk;

namespace Merge.Checkpoints;

/// <summary>
/// An input holds what no merge can use. Mended it is another input, so that what is finished serves no later run.
/// </summary>
internal sealed class InputFault(Diagnostic diagnostic) : MergeException(diagnostic);
