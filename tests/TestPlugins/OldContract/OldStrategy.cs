using Merge.Sdk;

namespace TestPlugins.OldContract;

public sealed class OldStrategy : MergeStrategy;
