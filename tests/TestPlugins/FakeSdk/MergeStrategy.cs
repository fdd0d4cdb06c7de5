namespace Merge.Sdk;

/// <summary>Stands for the contract of another time.</summary>
public abstract class MergeStrategy;
