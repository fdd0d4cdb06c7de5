using Merge.Sdk;

namespace Merge.Plugin.Ties;

/// <summary>Which elements of one model's task vector stay. Where every one does there is none (null).</summary>
internal delegate TensorMask Mask(Block block);
